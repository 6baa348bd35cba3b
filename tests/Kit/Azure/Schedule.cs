using System.Globalization;

namespace Cloud.Tests.Kit;

/// <summary>A timer's schedule as function.json has it: six fields from second to day of week, of which ours use <c>*</c>, a number and <c>*/n</c> in the first three.</summary>
public static class Schedule
{
    public static bool Has(string schedule, DateTimeOffset second) =>
        schedule.Split(' ') is [var s, var m, var h, "*", "*", "*"] && Fits(s, second.Second) && Fits(m, second.Minute) && Fits(h, second.Hour);

    private static bool Fits(string field, int value) => field switch
    {
        "*" => true,
        ['*', '/', .. var every] => value % int.Parse(every, CultureInfo.InvariantCulture) == 0,
        _ => value == int.Parse(field, CultureInfo.InvariantCulture),
    };
}
