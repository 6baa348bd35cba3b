using Cloud.Telemetry;
using Xunit;

namespace Cloud.Tests.Unit.Telemetry;

/// <summary>Times and spans in all the forms that Gnocchi's clients send.</summary>
public sealed class TimesTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("60", 60.0), InlineData("0.5", 0.5), InlineData("1 minute", 60), InlineData("5 minutes", 300), InlineData("1s", 1), InlineData("1second", 1), InlineData("2 second", 2)]
    [InlineData("1 hour", 3600), InlineData("1h", 3600), InlineData("2h30m", 9000), InlineData("1 day", 86400), InlineData("2 weeks", 1209600), InlineData("0:01:01", 61), InlineData("1:30", 90), InlineData("1 day, 2:00:00", 93600), InlineData("-5 minutes", -300)]
    public void A_span_has_many_forms(string text, double seconds) => Assert.Equal((long)(seconds * Times.Second), Times.Span(text));

    [Theory, InlineData(""), InlineData("foobar"), InlineData("1 shenanigan"), InlineData("NaN"), InlineData("inf"), InlineData("1e300"), InlineData("99999999999999999 hours")]
    public void What_is_none_is_none(string text) => Assert.Null(Times.Span(text));

    [Theory]
    [InlineData("2015-03-06T14:33:57", "2015-03-06T14:33:57+00:00"), InlineData("2015-03-06 14:33", "2015-03-06T14:33:00+00:00"), InlineData("2014-08-04", "2014-08-04T00:00:00+00:00")]
    [InlineData("2015-03-06T15:33:57+01:00", "2015-03-06T14:33:57+00:00"), InlineData("2017-05-02T11:11:11Z", "2017-05-02T11:11:11+00:00"), InlineData("1425652437.0", "2015-03-06T14:33:57+00:00"), InlineData("-5 minutes", "2029-12-31T23:55:00+00:00")]
    [InlineData("2015-03-06T14:33:57.25", "2015-03-06T14:33:57.250000000+00:00")]
    public void A_time_too(string text, string shown) => Assert.Equal(shown, Times.Show(Times.Parse(text, Now)));

    [Theory, InlineData("1915-03-06T14:33:57"), InlineData("2015-100-06T14:33:57"), InlineData("soon"), InlineData("-40000 days"), InlineData("1e30"), InlineData("NaN")]
    public void What_is_no_time_after_1970_is_refused(string text) => Assert.Throws<FormatException>(() => Times.Parse(text, Now));

    [Fact]
    public void Times_of_one_request_are_of_one_form() => Assert.Throws<FormatException>(() => Times.Parse(["1478012832", "-5 minutes"], Now));

    [Theory, InlineData(300, "0:05:00"), InlineData(86400, "1 day, 0:00:00"), InlineData(2592000, "30 days, 0:00:00")]
    public void Policies_show_spans_as_Python_does(long seconds, string shown) => Assert.Equal(shown, Times.ShowSpan(seconds * Times.Second));

    [Theory, InlineData("Y", "2015-01-01"), InlineData("H", "2015-07-01"), InlineData("Q", "2015-10-01"), InlineData("M", "2015-10-01"), InlineData("W", "2015-10-04")]
    public void Calendar_groups_begin_where_the_calendar_says(string by, string start) => Assert.Equal(Times.Parse(start, Now), Sampling.Parse(by).GroupOf(Times.Parse("2015-10-06T14:34:12", Now)));
}
