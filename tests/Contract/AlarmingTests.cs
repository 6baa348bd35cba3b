using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Aodh's API, and alarms that are looked at when there is something to see.</summary>
public sealed class AlarmingTests
{
    private const string Alarms = "/alarming/v2/alarms", Hook = "http://hook.example/x?token=hush", ByMetrics = "gnocchi_aggregation_by_metrics_threshold";

    private static async Task<TestCloud> Start(Func<string, string>? answer = null)
    {
        var cloud = await TestCloud.Start();
        cloud.Internet.Name("hook.example", "8.8.8.8");
        cloud.Internet.Server("8.8.8.8:80", request => [Encoding.ASCII.GetBytes(answer?.Invoke(request) ?? FakeInternet.Ok(""))]);
        return cloud;
    }

    private static async Task<string> Metric(TestCloud cloud, string user = "demo") => (await cloud.Send("POST", "/metric/v1/metric", new { archive_policy_name = "high" }, user)).Id("");

    private static Task<Answer> Measure(TestCloud cloud, string metric, double value, string user = "demo") =>
        cloud.Send("POST", $"/metric/v1/metric/{metric}/measures", new[] { new { timestamp = cloud.Services.Now.ToUnixTimeSeconds(), value } }, user);

    private static object Rule(string metric, double threshold = 10, int periods = 1, string op = "gt") => new { metrics = new[] { metric }, aggregation_method = "mean", threshold, comparison_operator = op, granularity = 60, evaluation_periods = periods };

    private static async Task<string> Alarm(TestCloud cloud, string metric, object? more = null, string user = "demo")
    {
        var body = JsonSerializer.SerializeToNode(new { name = "a", type = ByMetrics, gnocchi_aggregation_by_metrics_threshold_rule = Rule(metric), alarm_actions = new[] { Hook }, ok_actions = new[] { Hook }, insufficient_data_actions = new[] { Hook } })!.AsObject();
        if (more is not null) foreach (var (k, v) in JsonSerializer.SerializeToNode(more)!.AsObject()) body[k] = v?.DeepClone();
        var made = await cloud.Send("POST", Alarms, body.ToJsonString(), user);
        Assert.True(made.Status == 201, made.Text);
        await cloud.Drain();
        return made.Body.GetProperty("alarm_id").GetString()!;
    }

    private static async Task<string> State(TestCloud cloud, string alarm, string user = "demo") => (await cloud.Send("GET", $"{Alarms}/{alarm}/state", user: user)).Body.GetString()!;

    private static List<JsonElement> Notices(TestCloud cloud) => [.. cloud.Internet.Sent.Select(s => s[(s.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]).Where(b => b.Contains("alarm_id", StringComparison.Ordinal)).Select(b => JsonDocument.Parse(b).RootElement)];

    [Fact]
    public async Task It_goes_off_with_a_sample_is_ok_with_another_and_knows_nothing_when_no_more_come()
    {
        await using var cloud = await Start();
        var metric = await Metric(cloud);
        var alarm = await Alarm(cloud, metric);
        Assert.Equal("insufficient data", await State(cloud, alarm));
        cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        await Measure(cloud, metric, 15);
        await cloud.Drain();
        Assert.Equal("alarm", await State(cloud, alarm));
        cloud.Clock.Advance(TimeSpan.FromMinutes(1));
        await Measure(cloud, metric, 5);
        await cloud.Drain();
        Assert.Equal("ok", await State(cloud, alarm));
        for (var i = 0; i < 6; i++)
        {
            cloud.Clock.Advance(TimeSpan.FromMinutes(1));
            await cloud.Drain();
        }
        Assert.Equal("insufficient data", await State(cloud, alarm));
        Assert.Equal([("insufficient data", "alarm"), ("alarm", "ok"), ("ok", "insufficient data")], Notices(cloud).Select(n => (n.GetProperty("previous").GetString(), n.GetProperty("current").GetString())));
        // Nothing is waited for any more.
        Assert.DoesNotContain((await cloud.Bus.Depths()).Where(d => d.Value > 0), d => d.Key.StartsWith("alarm", StringComparison.Ordinal) || d.Key.StartsWith("metric", StringComparison.Ordinal));
        Assert.Equal(["state transition", "state transition", "state transition", "creation"], (await cloud.Send("GET", $"{Alarms}/{alarm}/history", user: "demo")).Body.EnumerateArray().Select(h => h.GetProperty("type").GetString()));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Each_state_has_its_own_actions_and_no_other_is_told()
    {
        await using var cloud = await Start();
        var metric = await Metric(cloud);
        await Alarm(cloud, metric, new { ok_actions = new[] { "http://hook.example/fine" }, alarm_actions = new[] { "http://hook.example/fire" }, insufficient_data_actions = Array.Empty<string>() });
        foreach (var value in new[] { 15, 5 })
        {
            cloud.Clock.Advance(TimeSpan.FromMinutes(1));
            await Measure(cloud, metric, value);
            await cloud.Drain();
        }
        cloud.Clock.Advance(TimeSpan.FromMinutes(10));
        await cloud.Drain();
        Assert.Equal(["POST /fire", "POST /fine"], cloud.Internet.Sent.Select(s => s[..s.IndexOf(" HTTP", StringComparison.Ordinal)]));
        Assert.Equal(["alarm", "ok"], Notices(cloud).Select(n => n.GetProperty("current").GetString()));
    }

    [Fact]
    public async Task Notices_are_signed_with_the_projects_secrets()
    {
        await using var cloud = await Start();
        var metric = await Metric(cloud);
        await Alarm(cloud, metric);
        var first = (await cloud.Send("GET", "/alarming/v2/signing_secrets", user: "demo")).Body.GetProperty("secrets")[0].GetString()!;
        var both = (await cloud.Send("POST", "/alarming/v2/signing_secrets/rotate", user: "demo")).Body.GetProperty("secrets").EnumerateArray().Select(s => s.GetString()!).ToList();
        Assert.Equal((2, first), (both.Count, both[1]));
        await Measure(cloud, metric, 15);
        await cloud.Drain();
        var sent = Assert.Single(cloud.Internet.Sent, s => s.Contains("alarm_id", StringComparison.Ordinal));
        string Header(string name) => Regex.Match(sent, name + ": ([^\r]+)", RegexOptions.IgnoreCase).Groups[1].Value;
        var signed = Encoding.UTF8.GetBytes($"{Header("webhook-id")}.{Header("webhook-timestamp")}.{sent[(sent.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]}");
        Assert.Equal(both.Select(s => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(s["whsec_".Length..]), signed))), Header("webhook-signature").Split(' '));
    }

    [Fact]
    public async Task Several_periods_must_agree()
    {
        await using var cloud = await Start();
        var metric = await Metric(cloud);
        var alarm = await Alarm(cloud, metric, new { gnocchi_aggregation_by_metrics_threshold_rule = Rule(metric, periods: 2) });
        foreach (var (value, state) in new[] { (15.0, "insufficient data"), (20, "alarm"), (5, "alarm"), (6, "ok"), (30, "ok") })
        {
            await Measure(cloud, metric, value);
            await cloud.Drain();
            Assert.Equal((value, state), (value, await State(cloud, alarm)));
            cloud.Clock.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task A_composite_is_of_its_parts()
    {
        await using var cloud = await Start();
        var (a, b) = (await Metric(cloud), await Metric(cloud));
        static object Part(string metric) => new { type = ByMetrics, metrics = new[] { metric }, aggregation_method = "mean", threshold = 10, comparison_operator = "gt", granularity = 60 };
        var either = await Alarm(cloud, a, new { type = "composite", gnocchi_aggregation_by_metrics_threshold_rule = (object?)null, composite_rule = new { or = new[] { Part(a), Part(b) } } });
        var both = await Alarm(cloud, a, new { type = "composite", gnocchi_aggregation_by_metrics_threshold_rule = (object?)null, composite_rule = new { and = new[] { Part(a), Part(b) } } });
        await Measure(cloud, a, 15);
        await cloud.Drain();
        Assert.Equal(("alarm", "insufficient data"), (await State(cloud, either), await State(cloud, both)));
        await Measure(cloud, b, 5);
        await cloud.Drain();
        Assert.Equal(("alarm", "ok"), (await State(cloud, either), await State(cloud, both)));
    }

    [Fact]
    public async Task Resources_are_found_by_query_and_by_id()
    {
        await using var cloud = await Start();
        var (project, server) = (await cloud.IdOf("projects", "demo"), "0192aaaa-0000-7000-8000-000000000001");
        await cloud.Send("POST", "/metric/v1/archive_policy_rule", new { name = "m", metric_pattern = "memory.usage", archive_policy_name = "high" });
        var one = await Alarm(cloud, server, new { type = "gnocchi_resources_threshold", gnocchi_aggregation_by_metrics_threshold_rule = (object?)null, gnocchi_resources_threshold_rule = new { metric = "memory.usage", resource_id = server, resource_type = "instance", aggregation_method = "mean", threshold = 100, comparison_operator = "ge", granularity = 60 } });
        var all = await Alarm(cloud, server, new { type = "gnocchi_aggregation_by_resources_threshold", gnocchi_aggregation_by_metrics_threshold_rule = (object?)null, gnocchi_aggregation_by_resources_threshold_rule = new { metric = "memory.usage", resource_type = "instance", query = "{\"=\": {\"ended_at\": null}}", aggregation_method = "max", threshold = 100, comparison_operator = "ge", granularity = 60 } });
        await Cloud.Telemetry.Facade.Add(cloud.Services, [(new(project, server, "instance"), [new("memory.usage", "MiB", cloud.Services.Now, 128)])]);
        await cloud.Drain();
        Assert.Equal(("alarm", "alarm"), (await State(cloud, one), await State(cloud, all)));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task An_event_of_the_project_sets_it_off_once()
    {
        await using var cloud = await Start();
        var project = await cloud.IdOf("projects", "demo");
        object Wish(string name) => new { type = "event", gnocchi_aggregation_by_metrics_threshold_rule = (object?)null, event_rule = new { event_type = "cloud.serverless.block-storage.volume.*", query = new[] { new { field = "traits.name", op = "eq", value = name } } } };
        await cloud.AddUser("eve");
        var (hot, eves) = (await Alarm(cloud, "", Wish("hot")), await Alarm(cloud, "", Wish("hot"), "eve"));
        foreach (var name in new[] { "cold", "hot" })
        {
            await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { name, size = 1 } }, "demo");
            await cloud.Drain();
            Assert.Equal((name, name == "hot" ? "alarm" : "insufficient data"), (name, await State(cloud, hot)));
        }
        Assert.Equal("insufficient data", await State(cloud, eves, "eve"));
        Assert.Single(Notices(cloud));
        foreach (var entry in await Events.EventLog.After(cloud.Store, "", 0, 1000)) await Cloud.Alarming.Api.Slice.OnEvent!(cloud.Services, Platform.Events.Event.Of(entry.Event!.Value), default);
        await cloud.Drain();
        Assert.Single(Notices(cloud));
    }

    [Fact]
    public async Task A_receiver_that_fails_is_asked_some_times_and_then_left_alone()
    {
        var asked = 0;
        await using var cloud = await Start(_ => { asked++; return "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"; });
        var metric = await Metric(cloud);
        var alarm = await Alarm(cloud, metric);
        await Measure(cloud, metric, 15);
        for (var i = 0; i < 60; i++)
        {
            await cloud.Drain();
            cloud.Clock.Advance(TimeSpan.FromSeconds(10));
        }
        Assert.InRange(asked, 5, 10); // the second state is told too
        Assert.Empty(await cloud.Bus.DeadLetters("alarm-notify", 10));
        Assert.Equal("insufficient data", await State(cloud, alarm));
    }

    [Fact]
    public async Task Others_neither_see_an_alarm_nor_watch_what_isnt_theirs()
    {
        await using var cloud = await Start();
        await cloud.AddUser("eve");
        var metric = await Metric(cloud);
        var (alarm, eves) = (await Alarm(cloud, metric), await Alarm(cloud, metric, user: "eve"));
        await Measure(cloud, metric, 15);
        await cloud.Drain();
        Assert.Equal(("alarm", "insufficient data"), (await State(cloud, alarm), await State(cloud, eves, "eve")));
        foreach (var (method, path, body) in new[] { ("GET", "", null), ("PUT", "", "{}"), ("DELETE", "", null), ("GET", "/state", null), ("PUT", "/state", "\"ok\""), ("GET", "/history", null) })
            Assert.Equal((method, path, 404), (method, path, (await cloud.Send(method, $"{Alarms}/{alarm}{path}", body, "eve")).Status));
        Assert.Single((await cloud.Send("GET", Alarms + "?q.field=all_projects&q.value=true", user: "eve")).Body.EnumerateArray());
        Assert.Single((await cloud.Send("POST", "/alarming/v2/query/alarms", new { filter = "{\"=\": {\"name\": \"a\"}}" }, "eve")).Body.EnumerateArray());
        Assert.Equal(2, (await cloud.Send("POST", "/alarming/v2/query/alarms", new { filter = "{\"=\": {\"name\": \"a\"}}" })).Body.GetArrayLength());
        // Addresses may hold secrets: events and history don't.
        Assert.DoesNotContain("hush", (await cloud.Send("GET", "/events/v1/events?type=cloud.serverless.alarming.*", user: "demo")).Text + (await cloud.Send("GET", $"{Alarms}/{alarm}/history", user: "demo")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_deleted_leaves_nothing_and_quotas_hold()
    {
        await using var cloud = await Start();
        var metric = await Metric(cloud);
        List<string> Rows() => [.. cloud.Store.All.Where(r => r.Key.StartsWith("alarm", StringComparison.Ordinal) || r.Partition is "metric.watch" or "alarming.events").Select(r => r.Key)];
        var alarm = await Alarm(cloud, metric);
        Assert.Equal(200, (await cloud.Send("PUT", $"{Alarms}/{alarm}", new { name = "b", type = ByMetrics, gnocchi_aggregation_by_metrics_threshold_rule = Rule(metric, 20), severity = "critical" }, "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", $"{Alarms}/{alarm}", user: "demo")).Status);
        await cloud.Drain();
        Assert.Empty(Rows());
        Assert.Equal(201, (await cloud.Send("POST", "/alarming/v2/quotas", new { project_id = await cloud.IdOf("projects", "demo"), quotas = new[] { new { resource = "alarms", limit = 1 } } })).Status);
        await Alarm(cloud, metric);
        Assert.Equal(403, (await cloud.Send("POST", Alarms, new { name = "c", type = ByMetrics, gnocchi_aggregation_by_metrics_threshold_rule = Rule(metric) }, "demo")).Status);
    }

    [Theory]
    [InlineData("""{"name": "a"}""")]
    [InlineData("""{"name": "a", "type": "threshold"}""")]
    [InlineData("""{"name": "a", "type": "event"}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {"query": [{"field": "x"}]}}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {}, "wings": 2}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {}, "severity": "great"}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {}, "alarm_actions": ["ftp://x"]}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {}, "alarm_actions": ["http://127.0.0.1/"]}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {}, "alarm_actions": ["https://u:p@x.example/"]}""")]
    [InlineData("""{"name": "a", "type": "event", "event_rule": {}, "composite_rule": {"or": []}}""")]
    [InlineData("""{"name": "a", "type": "composite", "composite_rule": {"xor": []}}""")]
    [InlineData("""{"name": "a", "type": "composite", "composite_rule": {"and": [{"type": "event"}]}}""")]
    [InlineData("""{"name": "a", "type": "gnocchi_resources_threshold", "gnocchi_resources_threshold_rule": {"metric": "cpu", "resource_id": "x", "resource_type": "no-such", "aggregation_method": "mean", "threshold": 1}}""")]
    [InlineData("""{"name": "a", "type": "gnocchi_resources_threshold", "gnocchi_resources_threshold_rule": {"metric": "cpu", "resource_id": "x", "resource_type": "instance", "aggregation_method": "guess", "threshold": 1}}""")]
    [InlineData("""{"name": "a", "type": "gnocchi_resources_threshold", "gnocchi_resources_threshold_rule": {"metric": "cpu", "resource_id": "x", "resource_type": "instance", "aggregation_method": "mean", "threshold": "NaN"}}""")]
    [InlineData("""{"name": "a", "type": "gnocchi_aggregation_by_resources_threshold", "gnocchi_aggregation_by_resources_threshold_rule": {"metric": "cpu", "query": "{\"=\": {\"wings\": 1}}", "resource_type": "instance", "aggregation_method": "mean", "threshold": 1}}""")]
    public async Task What_means_nothing_is_refused(string body)
    {
        await using var cloud = await Start();
        Assert.Equal(400, (await cloud.Send("POST", Alarms, body, "demo")).Status);
        Assert.Equal(401, (await cloud.Send("POST", Alarms, """{"name": "a", "type": "event", "event_rule": {}, "alarm_actions": ["log://"]}""", "demo")).Status);
        Assert.Equal("[]", (await cloud.Send("GET", Alarms, user: "demo")).Text);
        Assert.Empty(cloud.Errors);
    }
}
