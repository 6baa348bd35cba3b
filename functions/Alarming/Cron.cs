using System.Globalization;

namespace Cloud.Alarming;

/// <summary>
/// A time that comes again and again, as crontab(5) writes it: minute, hour, day of the month, month, day of the week; each *, a number, a range or a list of these, with steps.
/// Where both days are restricted one of them is enough.
/// </summary>
public sealed class Cron
{
    // The 29th of February comes after eight years at the latest.
    private const int MostDays = (8 * 366) + 1;
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], Weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly SortedSet<int> _minutes, _hours, _days, _months, _weekdays;
    private readonly bool _anyDay, _anyWeekday;

    private Cron(string[] f)
    {
        (_minutes, _hours, _days, _months) = (Values(f[0], 0, 59), Values(f[1], 0, 23), Values(f[2], 1, 31), Values(f[3], 1, 12, Months));
        _weekdays = [.. Values(f[4], 0, 7, Weekdays, 0).Select(d => d % 7)];
        (_anyDay, _anyWeekday) = (f[2].StartsWith('*'), f[4].StartsWith('*'));
    }

    /// <summary>Null for what is none, or never comes.</summary>
    public static Cron? Parse(string text)
    {
        var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5 || text.Length > 255) return null;
        try { return new Cron(fields) is var cron && cron.After(new DateTime(2000, 1, 1)) is not null ? cron : null; }
        catch (FormatException) { return null; }
    }

    /// <summary>The last time up to this one, of the same clock.</summary>
    public DateTime? Upto(DateTime t)
    {
        for (var (day, n) = (t.Date, 0); n < MostDays; day = day.AddDays(-1), n++)
            if (Fits(day) && Times(day).Reverse().FirstOrDefault(x => x <= t) is { Ticks: > 0 } found) return found;
        return null;
    }

    /// <summary>The first time after this one.</summary>
    public DateTime? After(DateTime t)
    {
        for (var (day, n) = (t.Date, 0); n < MostDays; day = day.AddDays(1), n++)
            if (Fits(day) && Times(day).FirstOrDefault(x => x > t) is { Ticks: > 0 } found) return found;
        return null;
    }

    private bool Fits(DateTime day)
    {
        var (inMonth, inWeek) = (_days.Contains(day.Day), _weekdays.Contains((int)day.DayOfWeek));
        return _months.Contains(day.Month) && (_anyDay || _anyWeekday ? inMonth && inWeek : inMonth || inWeek);
    }

    private IEnumerable<DateTime> Times(DateTime day) => from h in _hours from m in _minutes select day.AddMinutes((h * 60) + m);

    private static SortedSet<int> Values(string field, int least, int most, string[]? names = null, int first = 1)
    {
        int Number(string text) => names is not null && Array.IndexOf(names, text.ToLowerInvariant()) is >= 0 and var i ? i + first
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most ? n : throw new FormatException();
        var values = new SortedSet<int>();
        foreach (var item in field.Split(','))
        {
            var (range, step) = item.Split('/') switch { [var r] => (r, 1), [var r, var s] => (r, int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n is >= 1 and <= 60 ? n : throw new FormatException()), _ => throw new FormatException() };
            var (from, to) = range == "*" ? (least, most) : range.Split('-') switch { [var one] => (Number(one), item.Contains('/', StringComparison.Ordinal) ? most : Number(one)), [var a, var b] => (Number(a), Number(b)), _ => throw new FormatException() };
            if (from > to) throw new FormatException();
            for (var v = from; v <= to; v += step) values.Add(v);
        }
        return values;
    }
}
