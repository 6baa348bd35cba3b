using System.Globalization;
using Cloud.Alarming;
using Xunit;

namespace Cloud.Tests.Unit.Alarming;

/// <summary>Times that come again and again, as crontab(5) has them.</summary>
public sealed class CronTests
{
    private static DateTime At(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture);

    // 2030-01-01 is a Tuesday.
    [Theory]
    [InlineData("0 23 * * *", "2030-01-01T12:00", "2029-12-31T23:00", "2030-01-01T23:00")]
    [InlineData("*/20 8-10 * * *", "2030-01-01T09:05", "2030-01-01T09:00", "2030-01-01T09:20")]
    [InlineData("5,10 * * * *", "2030-01-01T09:10", "2030-01-01T09:10", "2030-01-01T10:05")]
    [InlineData("0 0 * * 0", "2030-01-01T00:00", "2029-12-30T00:00", "2030-01-06T00:00")]
    [InlineData("0 0 * * 7", "2030-01-01T00:00", "2029-12-30T00:00", "2030-01-06T00:00")]
    [InlineData("0 0 * * Mon-Fri", "2030-01-05T12:00", "2030-01-04T00:00", "2030-01-07T00:00")]
    [InlineData("0 0 1 jan *", "2030-06-01T00:00", "2030-01-01T00:00", "2031-01-01T00:00")]
    [InlineData("0 0 29 2 *", "2030-06-01T00:00", "2028-02-29T00:00", "2032-02-29T00:00")]
    // Both days restricted: one is enough.
    [InlineData("0 0 13 * 5", "2030-01-12T12:00", "2030-01-11T00:00", "2030-01-13T00:00")]
    [InlineData("3/30 * * * *", "2030-01-01T00:10", "2030-01-01T00:03", "2030-01-01T00:33")]
    public void The_one_before_and_the_one_after(string cron, string now, string upto, string after) =>
        Assert.Equal((At(upto), At(after)), (Cron.Parse(cron)!.Upto(At(now)), Cron.Parse(cron)!.After(At(now))));

    [Theory, InlineData(""), InlineData("* * * *"), InlineData("* * * * * *"), InlineData("60 * * * *"), InlineData("* 24 * * *"), InlineData("* * 0 * *"), InlineData("* * * 13 *"), InlineData("* * * * 8"), InlineData("a * * * *")]
    [InlineData("*/0 * * * *"), InlineData("5-1 * * * *"), InlineData("1-2-3 * * * *"), InlineData("-1 * * * *"), InlineData("1//2 * * * *"), InlineData("0 0 31 2 *")]
    public void What_is_none_or_never_comes(string text) => Assert.Null(Cron.Parse(text));

    [Theory]
    [InlineData("", "2030-07-01T08:00:00Z", true)]
    [InlineData("", "2030-07-01T08:30:00Z", true)]
    [InlineData("", "2030-07-01T08:30:01Z", false)]
    [InlineData("", "2030-07-01T07:59:59Z", false)]
    // Two hours ahead in summer, one in winter.
    [InlineData("Europe/Berlin", "2030-07-01T06:10:00Z", true)]
    [InlineData("Europe/Berlin", "2030-07-01T07:10:00Z", false)]
    [InlineData("Europe/Berlin", "2030-01-01T07:10:00Z", true)]
    public void Within_is_from_its_start_on_so_many_seconds_by_its_own_clock(string zone, string now, bool within) =>
        Assert.Equal(within, TimeConstraint.Within([new("n", "", "0 8 * * *", 1800, zone)], DateTimeOffset.Parse(now, CultureInfo.InvariantCulture)));

    [Fact]
    public void An_hour_that_the_clocks_leave_out_is_the_next()
    {
        // On 2030-03-31 in Berlin 2:00 is 3:00, which is 1:00 UTC.
        TimeConstraint[] night = [new("n", "", "30 2 * * *", 600, "Europe/Berlin")];
        Assert.True(TimeConstraint.Within(night, new(2030, 3, 31, 1, 35, 0, TimeSpan.Zero)));
        Assert.Equal(new DateTimeOffset(2030, 3, 31, 1, 30, 0, TimeSpan.Zero), TimeConstraint.Next(night, new(2030, 3, 31, 0, 0, 0, TimeSpan.Zero)));
    }
}
