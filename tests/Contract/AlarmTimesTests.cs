using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>When alarms are looked at: the window of their data to the microsecond, and the times that their owners restrict them to. And whose they are.</summary>
public sealed class AlarmTimesTests
{
    private const string Alarms = "/alarming/v2/alarms", ByMetrics = "gnocchi_aggregation_by_metrics_threshold";

    private static object Wish(string metric, int periods = 1, object[]? times = null) => new
    {
        name = "a", type = ByMetrics, time_constraints = times ?? [],
        gnocchi_aggregation_by_metrics_threshold_rule = new { metrics = new[] { metric }, aggregation_method = "mean", threshold = 10, comparison_operator = "gt", granularity = 60, evaluation_periods = periods },
    };

    private static async Task<(string Metric, string Alarm)> Made(TestCloud cloud, int periods = 1, object[]? times = null)
    {
        var metric = (await cloud.Send("POST", "/metric/v1/metric", new { archive_policy_name = "high" }, "demo")).Id("");
        var made = await cloud.Send("POST", Alarms, Wish(metric, periods, times), "demo");
        Assert.True(made.Status == 201, made.Text);
        await cloud.Drain();
        return (metric, made.Body.GetProperty("alarm_id").GetString()!);
    }

    private static async Task Measure(TestCloud cloud, string metric, double value)
    {
        await cloud.Send("POST", $"/metric/v1/metric/{metric}/measures", new[] { new { timestamp = cloud.Services.Now.ToUnixTimeSeconds(), value } }, "demo");
        await cloud.Drain();
    }

    private static async Task<string> State(TestCloud cloud, string alarm) => (await cloud.Send("GET", $"{Alarms}/{alarm}/state", user: "demo")).Body.GetString()!;

    /// <summary>A point of 60 s counts as long as any of it is in the window, which is one period longer than asked: 3 minutes after its begin, for one period.</summary>
    [Fact]
    public async Task Data_is_too_old_at_the_very_end_of_its_window_and_not_before()
    {
        await using var cloud = await TestCloud.Start();
        var (metric, alarm) = await Made(cloud);
        var begin = cloud.Services.Now; // a whole minute
        await Measure(cloud, metric, 15);
        Assert.Equal("alarm", await State(cloud, alarm));
        cloud.Clock.Advance(begin + TimeSpan.FromMinutes(3) - TimeSpan.FromMilliseconds(1) - cloud.Services.Now);
        await cloud.Drain();
        Assert.Equal("alarm", await State(cloud, alarm));
        cloud.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await cloud.Drain();
        Assert.Equal("insufficient data", await State(cloud, alarm));
    }

    /// <summary>What is measured this very microsecond is in the window, whose end is excluded.</summary>
    [Fact]
    public async Task A_sample_of_this_moment_counts()
    {
        await using var cloud = await TestCloud.Start();
        var (metric, alarm) = await Made(cloud);
        Assert.Equal(0, cloud.Services.Now.Ticks % TimeSpan.TicksPerMinute);
        await Measure(cloud, metric, 15);
        Assert.Equal("alarm", await State(cloud, alarm));
    }

    [Fact]
    public async Task Outside_its_times_it_is_not_looked_at_and_when_they_begin_it_is()
    {
        await using var cloud = await TestCloud.Start(); // at midnight, UTC
        var (metric, alarm) = await Made(cloud, times: [new { name = "mornings", start = "5 0 * * *", duration = 300 }]);
        await Measure(cloud, metric, 15);
        Assert.Equal("insufficient data", await State(cloud, alarm));
        for (var i = 0; i < 5; i++)
        {
            cloud.Clock.Advance(TimeSpan.FromMinutes(1));
            await Measure(cloud, metric, 15);
            Assert.Equal((i, i < 4 ? "insufficient data" : "alarm"), (i, await State(cloud, alarm)));
        }
        cloud.Clock.Advance(TimeSpan.FromMinutes(6));
        await Measure(cloud, metric, 5);
        Assert.Equal("alarm", await State(cloud, alarm));
        // The next morning it is looked at without any sample: there is none that is young enough.
        cloud.Clock.Advance(cloud.Services.Now.Date.AddDays(1).AddMinutes(5) - cloud.Services.Now.UtcDateTime);
        cloud.Forget(); // tokens last less
        await cloud.Drain();
        Assert.Equal("insufficient data", await State(cloud, alarm));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Times_are_shown_as_they_were_given_and_hold_for_events()
    {
        await using var cloud = await TestCloud.Start();
        var project = await cloud.IdOf("projects", "demo");
        var times = new[] { new { name = "n", description = "nights", start = "0 23 * * 1-5", duration = "3600", timezone = "Europe/Berlin" } };
        var made = await cloud.Send("POST", Alarms, new { name = "e", type = "event", event_rule = new { event_type = "*volume.created" }, time_constraints = times }, "demo");
        Assert.Equal("""[{"name":"n","description":"nights","start":"0 23 * * 1-5","duration":3600,"timezone":"Europe/Berlin"}]""", made.Body.GetProperty("time_constraints").GetRawText());
        await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { size = 1 } }, "demo");
        await cloud.Drain();
        Assert.Equal("insufficient data", await State(cloud, made.Body.GetProperty("alarm_id").GetString()!));
        cloud.Clock.Advance(TimeSpan.FromHours(22.5)); // 23:30 of a Tuesday there
        cloud.Forget(); // tokens last less
        await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { size = 1 } }, "demo");
        await cloud.Drain();
        Assert.Equal("alarm", await State(cloud, made.Body.GetProperty("alarm_id").GetString()!));
    }

    [Theory]
    [InlineData("""[{"name": "n", "start": "0 25 * * *", "duration": 1}]""")]
    [InlineData("""[{"name": "n", "start": "0 23 31 2 *", "duration": 1}]""")]
    [InlineData("""[{"name": "n", "start": "0 23 * * *", "duration": -1}]""")]
    [InlineData("""[{"name": "n", "start": "0 23 * * *"}]""")]
    [InlineData("""[{"start": "0 23 * * *", "duration": 1}]""")]
    [InlineData("""[{"name": "n", "start": "0 23 * * *", "duration": 1, "timezone": "Middle/Earth"}]""")]
    [InlineData("""[{"name": "n", "start": "0 23 * * *", "duration": 1, "end": 2}]""")]
    [InlineData("""[{"name": "n", "start": "0 23 * * *", "duration": 1}, {"name": "n", "start": "0 22 * * *", "duration": 1}]""")]
    [InlineData("\"always\"")]
    public async Task Times_that_make_no_sense_are_refused(string times)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(400, (await cloud.Send("POST", Alarms, $$"""{"name": "a", "type": "event", "event_rule": {}, "time_constraints": {{times}}}""", "demo")).Status);
    }

    [Fact]
    public async Task An_administrator_makes_alarms_for_others_and_nobody_else_does()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        var (demo, user) = (await cloud.IdOf("projects", "demo"), await cloud.IdOf("users", "demo"));
        object For(object project) => new { name = "a", type = "event", event_rule = new { event_type = "*" }, project_id = project, user_id = user };
        var made = await cloud.Send("POST", Alarms, For(demo));
        Assert.Equal((201, demo, user), (made.Status, made.Body.GetProperty("project_id").GetString(), made.Body.GetProperty("user_id").GetString()));
        Assert.Equal(made.Body.GetProperty("alarm_id").GetString(), Assert.Single((await cloud.Send("GET", Alarms, user: "demo")).Body.EnumerateArray()).GetProperty("alarm_id").GetString());
        Assert.Equal(401, (await cloud.Send("POST", Alarms, For(demo), "eve")).Status);
        Assert.Equal(401, (await cloud.Send("POST", Alarms, new { name = "a", type = "event", event_rule = new { }, user_id = user }, "eve")).Status);
        Assert.Equal(400, (await cloud.Send("POST", Alarms, For("0192aaaa000070008000000000000001"))).Status);
        // It is the project's: its members change it, as they got it, and can't give it away.
        var path = $"{Alarms}/{made.Body.GetProperty("alarm_id").GetString()}";
        Assert.Equal(200, (await cloud.Send("PUT", path, made.Text, "demo")).Status);
        Assert.Equal(401, (await cloud.Send("PUT", path, For(await cloud.IdOf("projects", "eve")), "demo")).Status);
        Assert.Equal(400, (await cloud.Send("PUT", path, For(await cloud.IdOf("projects", "eve")))).Status);
        // Legacy types are refused by their name.
        Assert.Contains("type", (await cloud.Send("POST", Alarms, """{"name": "a", "type": "threshold", "threshold_rule": {}}""")).Text, StringComparison.Ordinal);
    }
}
