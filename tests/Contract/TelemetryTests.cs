using Cloud.Telemetry;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Gnocchi's API: what the gabbi files of ./cloud conformance metric don't look at.</summary>
public sealed class TelemetryTests
{
    private const string Resource = "/metric/v1/resource/generic", Json = "application/json";

    private static async Task<string> Metric(TestCloud cloud, string user = "demo", string policy = "high") => (await cloud.Send("POST", "/metric/v1/metric", new { archive_policy_name = policy }, user)).Id("");

    [Theory]
    [InlineData("[{\"timestamp\": \"2030-01-01T00:00:00\", \"value\": \"NaN\"}]", 400)]
    [InlineData("[{\"timestamp\": \"2030-01-01T00:00:00\", \"value\": \"Infinity\"}]", 400)]
    [InlineData("[{\"timestamp\": \"2030-01-01T00:00:00\", \"value\": 1e999}]", 400)]
    [InlineData("[{\"timestamp\": \"2030-01-01T00:00:00\"}]", 400)]
    [InlineData("[{\"timestamp\": \"1960-01-01T00:00:00\", \"value\": 1}]", 400)]
    [InlineData("{}", 400)]
    [InlineData("[{\"timestamp\": \"2030-01-01T00:00:00\", \"value\": -1.5}]", 202)]
    public async Task Samples_are_numbers_with_times(string body, int status)
    {
        await using var cloud = await TestCloud.Start();
        var path = $"/metric/v1/metric/{await Metric(cloud)}/measures";
        var answer = await cloud.Send("POST", path, body, "demo", ("Accept", Json));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 202 ? 3 : 0, (await cloud.Send("GET", path, user: "demo")).Body.GetArrayLength());
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Another_project_sees_and_changes_nothing()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        var id = (await cloud.Send("POST", Resource, new { id = "box", metrics = new { cpu = new { archive_policy_name = "low" } } }, "demo")).Id("");
        var metric = (await cloud.Send("GET", $"{Resource}/{id}", user: "demo")).Body.GetProperty("metrics").GetProperty("cpu").GetString()!;
        foreach (var path in new[] { $"{Resource}/{id}", $"{Resource}/{id}/history", $"{Resource}/{id}/metric", $"{Resource}/{id}/metric/cpu", $"{Resource}/{id}/metric/cpu/measures", $"/metric/v1/metric/{metric}", $"/metric/v1/metric/{metric}/measures", $"/metric/v1/aggregation/metric?metric={metric}" })
            Assert.Equal((path, 404), (path, (await cloud.Send("GET", path, user: "eve")).Status));
        Assert.Equal(404, (await cloud.Send("PATCH", $"{Resource}/{id}", new { user_id = "eve" }, "eve")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", $"{Resource}/{id}", user: "eve")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", $"/metric/v1/metric/{metric}", user: "eve")).Status);
        Assert.Equal(404, (await cloud.Send("POST", $"/metric/v1/metric/{metric}/measures", "[]", "eve")).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/metric/v1/batch/metrics/measures", new Dictionary<string, object[]> { [metric] = [] }, "eve")).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/metric/v1/batch/resources/metrics/measures", new Dictionary<string, object> { [id] = new { cpu = Array.Empty<object>() } }, "eve")).Status);
        Assert.Equal(404, (await cloud.Send("POST", "/metric/v1/aggregates", new { operations = $"(metric {metric} mean)" }, "eve")).Status);
        Assert.Equal("{}", (await cloud.Send("POST", $"/metric/v1/search/metric?metric_id={metric}", new Dictionary<string, double> { [">"] = 0 }, "eve")).Text);
        Assert.Equal("[]", (await cloud.Send("GET", "/metric/v1/metric", user: "eve")).Text);
        Assert.Equal("[]", (await cloud.Send("POST", "/metric/v1/search/resource/generic", "{}", "eve")).Text);
        Assert.Equal(0, (await cloud.Send("DELETE", Resource, new { like = new { original_resource_id = "%" } }, "eve")).Body.GetProperty("deleted").GetInt32());
        Assert.Equal(409, (await cloud.Send("POST", Resource, new { id }, "eve")).Status);
        Assert.Equal(200, (await cloud.Send("GET", $"{Resource}/{id}", user: "demo")).Status);
    }

    [Fact]
    public async Task Nobody_fills_the_lists_of_others_but_an_operator_speaks_for_all()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        var project = await cloud.IdOf("projects", "demo");
        await cloud.Send("POST", Resource, new { id = "a", project_id = project }, "eve");
        Assert.Equal("[]", (await cloud.Send("GET", Resource, user: "demo")).Text);
        await cloud.Send("POST", Resource, new { id = "b", project_id = project, metrics = new { cpu = new { archive_policy_name = "low" } } });
        var seen = (await cloud.Send("GET", Resource, user: "demo")).Body[0];
        Assert.Equal("b", seen.GetProperty("original_resource_id").GetString());
        Assert.Equal(1, (await cloud.Send("GET", "/metric/v1/metric", user: "demo")).Body.GetArrayLength());
        // It is lent to them, not given.
        Assert.Equal(403, (await cloud.Send("DELETE", $"{Resource}/{seen.GetProperty("id").GetString()}", user: "demo")).Status);
    }

    [Fact]
    public async Task A_volume_is_a_resource_with_its_past_and_is_shown_when_it_is_gone()
    {
        await using var cloud = await TestCloud.Start();
        var project = await cloud.IdOf("projects", "demo");
        var volume = (await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { name = "one", size = 1 } }, "demo")).Id("volume");
        await cloud.Drain();
        var path = "/metric/v1/resource/volume/" + volume;
        var shown = (await cloud.Send("GET", path, user: "demo")).Body;
        Assert.Equal(("one", "volume", project), (shown.GetProperty("display_name").GetString(), shown.GetProperty("type").GetString(), shown.GetProperty("project_id").GetString()));
        cloud.Clock.Advance(TimeSpan.FromMinutes(1));
        await cloud.Send("PUT", $"/volume/v3/{project}/volumes/{volume}", new { volume = new { name = "two" } }, "demo");
        await cloud.Send("DELETE", $"/volume/v3/{project}/volumes/{volume}", user: "demo");
        await cloud.Drain();
        Assert.Equal(["one", "two", "two"], (await cloud.Send("GET", path + "/history", user: "demo")).Body.EnumerateArray().Select(r => r.GetProperty("display_name").GetString()));
        Assert.NotNull((await cloud.Send("GET", path, user: "demo")).Body.GetProperty("ended_at").GetString());
        // The same events again, in any order, change nothing.
        List<string> Tags() => [.. cloud.Store.All.Where(r => r.Partition.StartsWith("metric.home", StringComparison.Ordinal)).Select(r => r.ETag)];
        var before = Tags();
        foreach (var entry in (await Events.EventLog.After(cloud.Store, "", 0, 1000)).Reverse()) await Api.Slice.OnEvent!(cloud.Services, Platform.Events.Event.Of(entry.Event!.Value), default);
        Assert.Equal(before, Tags());
        // An operator's page ends with it after a while.
        cloud.Clock.Advance(TimeSpan.FromDays(91));
        await Api.Slice.Jobs[0].Run(cloud.Services, default);
        await cloud.Drain();
        cloud.Forget();
        Assert.Equal(404, (await cloud.Send("GET", path, user: "demo")).Status);
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Samples_of_agents_become_metrics_of_the_owners_resources()
    {
        await using var cloud = await TestCloud.Start();
        var (project, server) = (await cloud.IdOf("projects", "demo"), "0192aaaa-0000-7000-8000-000000000001");
        Sample[] samples = [new("cpu", "ns", cloud.Services.Now, 5e9), new("cpu", "ns", cloud.Services.Now.AddMinutes(5), 8e9), new("memory.usage", "MiB", cloud.Services.Now, 64), new("memory.usage", "MiB", cloud.Services.Now, double.NaN)];
        for (var i = 0; i < 3; i++) await Facade.Add(cloud.Services, [(new(project, server, "instance"), samples)]);
        await Facade.Add(cloud.Services, [(new(project, server + "-vda", "instance_disk", new Dictionary<string, string> { ["name"] = "vda", ["instance_id"] = server }), [new("disk.device.read.bytes", "B", cloud.Services.Now, 7)])]);
        Assert.Equal([3e9], (await cloud.Send("GET", $"/metric/v1/resource/instance/{server}/metric/cpu/measures?aggregation=rate:mean", user: "demo")).Body.EnumerateArray().Select(m => m[2].GetDouble()));
        Assert.Equal([64.0], (await cloud.Send("GET", $"/metric/v1/resource/generic/{server}/metric/memory.usage/measures", user: "demo")).Body.EnumerateArray().Select(m => m[2].GetDouble()));
        var disk = (await cloud.Send("POST", "/metric/v1/search/resource/instance_disk", "{\"=\": {\"instance_id\": \"" + server + "\"}}", "demo")).Body[0];
        Assert.Equal("vda", disk.GetProperty("name").GetString());
        Assert.Equal(3, (await cloud.Send("GET", "/metric/v1/metric", user: "demo")).Body.GetArrayLength());
        await cloud.AddUser("eve");
        Assert.Equal("[]", (await cloud.Send("GET", "/metric/v1/metric", user: "eve")).Text);
    }

    [Fact]
    public async Task What_is_deleted_leaves_nothing()
    {
        await using var cloud = await TestCloud.Start();
        var before = Rows(cloud);
        var id = (await cloud.Send("POST", Resource, new { id = "box", metrics = new { cpu = new { archive_policy_name = "high" } } }, "demo")).Id("");
        await cloud.Send("POST", $"{Resource}/{id}/metric/cpu/measures", "[{\"timestamp\": 1, \"value\": 1}, {\"timestamp\": 900000, \"value\": 1}]", "demo");
        await cloud.Send("PATCH", $"{Resource}/{id}", new { user_id = "x" }, "demo");
        var metric = await Metric(cloud);
        Assert.Equal(204, (await cloud.Send("DELETE", $"/metric/v1/metric/{metric}", user: "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", $"{Resource}/{id}", user: "demo")).Status);
        await cloud.Drain();
        Assert.Equal(before, Rows(cloud));
    }

    private static List<string> Rows(TestCloud cloud) => [.. cloud.Store.All.Where(r => r.Partition.StartsWith("metric", StringComparison.Ordinal) && !r.Key.StartsWith("home|", StringComparison.Ordinal)).Select(r => $"{r.Partition}/{r.Key}").Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Conditions_are_those_of_HTTP()
    {
        await using var cloud = await TestCloud.Start();
        var made = await cloud.Send("POST", Resource, new { id = "box" }, "demo");
        var path = $"{Resource}/{made.Id("")}";
        Assert.Equal(304, (await cloud.Send("GET", path, user: "demo", headers: ("If-None-Match", made.Headers["ETag"]))).Status);
        cloud.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(200, (await cloud.Send("PATCH", path, new { user_id = "u" }, "demo", ("If-Match", made.Headers["ETag"]))).Status);
        Assert.Equal(412, (await cloud.Send("PATCH", path, new { user_id = "v" }, "demo", ("If-Match", made.Headers["ETag"]))).Status);
        Assert.Equal(412, (await cloud.Send("DELETE", path, user: "demo", headers: ("If-Unmodified-Since", made.Headers["Last-Modified"]))).Status);
    }
}
