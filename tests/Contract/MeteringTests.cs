using System.Text.Json;
using Cloud.Metering;
using Cloud.Platform.Events;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>What the API says was used, after real requests against the control plane in memory.</summary>
public sealed class MeteringTests
{
    private static async Task<string> Project(TestCloud cloud, string user) =>
        (await cloud.Send("GET", "/identity/v3/auth/projects", user: user)).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;

    private static async Task<Dictionary<string, decimal>> Usage(TestCloud cloud, string user = "demo", string query = "")
    {
        var answer = await cloud.Send("GET", "/metering/v1/usage" + query, user: user);
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Body.GetProperty("usage").EnumerateArray().ToDictionary(u => u.GetProperty("meter").GetString()!, u => u.GetProperty("amount").GetDecimal());
    }

    private static async Task<string> Image(TestCloud cloud)
    {
        var id = (await cloud.Send("POST", "/image/v2/images", new { name = "tiny", disk_format = "raw", container_format = "bare" }, "demo")).Body.GetProperty("id").GetString()!;
        Assert.Equal(204, (await cloud.Raw("PUT", $"/image/v2/images/{id}/file", await cloud.Token("demo"), new string('x', 1000), ("Content-Type", "application/octet-stream"))).Status);
        await cloud.Drain();
        return id;
    }

    private static async Task<string> Flavor(TestCloud cloud) =>
        (await cloud.Send("GET", "/compute/v2.1/flavors", user: "demo")).Body.GetProperty("flavors").EnumerateArray().First(f => f.GetProperty("name").GetString() == "m1.tiny").GetProperty("id").GetString()!;

    [Fact]
    public async Task A_server_counts_from_its_start_to_its_deletion_and_as_running_only_while_it_runs()
    {
        await using var cloud = await TestCloud.Start();
        var body = new { server = new { name = "s", imageRef = await Image(cloud), flavorRef = await Flavor(cloud), networks = "none" } };
        var created = await cloud.Send("POST", "/compute/v2.1/servers", body, "demo", ("OpenStack-API-Version", "compute 2.90"));
        Assert.True(created.Status == 202, created.Text);
        var id = created.Id("server");
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(100));
        Assert.Equal(202, (await cloud.Send("POST", $"/compute/v2.1/servers/{id}/action", "{\"os-stop\": null}", "demo")).Status);
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(50));
        Assert.Equal(204, (await cloud.Send("DELETE", $"/compute/v2.1/servers/{id}", user: "demo")).Status);
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(1000));
        var usage = await Usage(cloud);
        Assert.Equal((150m, 100m), (usage["server.m1.tiny"], usage["server-running.m1.tiny"]));
        Assert.Equal(1150m * 1000, usage["image.bytes"]);
        var intervals = (await cloud.Send("GET", $"/metering/v1/intervals?resource={id}&meter=server.*", user: "demo")).Body.GetProperty("intervals");
        var interval = Assert.Single(intervals.EnumerateArray());
        Assert.Equal((150m, true, "server"), (interval.GetProperty("seconds").GetDecimal(), interval.GetProperty("final").GetBoolean(), interval.GetProperty("kind").GetString()));
        // What opened and closed it can be read in the log.
        var log = (await cloud.Send("GET", $"/events/v1/events?subject={id}&limit=1000", user: "demo")).Body.EnumerateArray().ToDictionary(e => e.GetProperty("id").GetString()!);
        Assert.True(log.ContainsKey(interval.GetProperty("opened_by").GetString()!) && log.ContainsKey(interval.GetProperty("closed_by").GetString()!));
        var closed = log.Values.Where(e => e.GetProperty("type").GetString() == "cloud.serverless.metering.interval.closed").Select(e => e.GetProperty("data").GetProperty("interval"));
        Assert.Contains(interval.GetRawText(), closed.Select(c => c.GetRawText()));
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task A_volume_counts_by_its_size_and_windows_cut_it()
    {
        await using var cloud = await TestCloud.Start();
        var volumes = $"/volume/v3/{await Project(cloud, "demo")}/volumes";
        var id = (await cloud.Send("POST", volumes, new { volume = new { size = 2 } }, "demo")).Id("volume");
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(202, (await cloud.Send("POST", $"{volumes}/{id}/action", "{\"os-extend\": {\"new_size\": 5}}", "demo")).Status);
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(2 * 10 + 5 * 10, (await Usage(cloud))["volume.gib"]);
        Assert.Equal(2 * 3 + 5 * 4, (await Usage(cloud, query: "?from=2030-01-01T00:00:07Z&to=2030-01-01T00:00:14Z"))["volume.gib"]);
        Assert.Empty(await Usage(cloud, query: "?from=2029-01-01T00:00:00Z&to=2029-06-01T00:00:00Z"));
        var list = (await cloud.Send("GET", "/metering/v1/intervals", user: "demo")).Body.GetProperty("intervals").EnumerateArray().ToList();
        Assert.Equal(["2030-01-01T00:00:10.000Z", null], list.Select(i => i.GetProperty("to").GetString()));
        // A page at a time gives the same.
        var first = (await cloud.Send("GET", "/metering/v1/intervals?limit=1", user: "demo")).Body;
        var rest = (await cloud.Send("GET", "/metering/v1/intervals?limit=1&cursor=" + Uri.EscapeDataString(first.GetProperty("next").GetString()!), user: "demo")).Body;
        Assert.Equal(list.Select(i => i.GetProperty("id").GetString()), new[] { first, rest }.Select(p => p.GetProperty("intervals")[0].GetProperty("id").GetString()));
        Assert.Null(rest.GetProperty("next").GetString());
    }

    [Fact]
    public async Task A_server_that_never_started_costs_nothing()
    {
        await using var cloud = await TestCloud.Start(hosts: 0);
        var body = new { server = new { name = "s", imageRef = await Image(cloud), flavorRef = await Flavor(cloud), networks = "none" } };
        var id = (await cloud.Send("POST", "/compute/v2.1/servers", body, "demo", ("OpenStack-API-Version", "compute 2.90"))).Id("server");
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal("ERROR", (await cloud.Send("GET", $"/compute/v2.1/servers/{id}", user: "demo")).Body.GetProperty("server").GetProperty("status").GetString());
        Assert.Empty(await Usage(cloud, query: "?meter=server.*"));
    }

    [Fact]
    public async Task A_floating_ip_counts_once_however_often_it_moves_until_it_is_given_back()
    {
        await using var cloud = await TestCloud.Start();
        var stage = new Stage(cloud, []);
        await stage.Net();
        await stage.Outside();
        var address = $"/network/v2.0/floatingips/{stage["fip"]}";
        foreach (var port in new[] { "one", "two" }) await stage.Port(port);
        await cloud.Pass(TimeSpan.FromSeconds(5));
        foreach (var port in new[] { "one", "two" })
        {
            Stage.Good(await stage.Send("PUT", address, new { floatingip = new { port_id = stage[port] } }));
            await cloud.Pass(TimeSpan.FromSeconds(20));
        }
        Stage.Good(await stage.Send("DELETE", address));
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(100));
        var usage = await Usage(cloud, "admin", $"?resource={stage["fip"]}");
        Assert.Equal((45m, 40m, 5m), (usage["floatingip"], usage["floatingip-bound"], usage["floatingip-idle"]));
        Assert.Equal(3, (await cloud.Send("GET", $"/metering/v1/intervals?resource={stage["fip"]}")).Body.GetProperty("intervals").GetArrayLength());
    }

    [Fact]
    public async Task Tenants_see_their_own_usage_and_administrators_all()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        var project = await Project(cloud, "demo");
        await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { size = 2 } }, "demo");
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.Empty(await Usage(cloud, "eve"));
        Assert.Equal(403, (await cloud.Send("GET", $"/metering/v1/usage?project_id={project}", user: "eve")).Status);
        Assert.Equal(403, (await cloud.Send("GET", "/metering/v1/intervals?all_projects=true", user: "eve")).Status);
        Assert.Equal(20m, (await Usage(cloud, "admin", $"?project_id={project}"))["volume.gib"]);
        Assert.Equal(20m, (await Usage(cloud, "admin", "?all_projects=1"))["volume.gib"]);
        Assert.Equal(401, (await cloud.Raw("GET", "/metering/v1/usage", null, null)).Status);
    }

    [Theory]
    [InlineData("from=yesterday")]
    [InlineData("from=2030-02-01T00:00:00Z&to=2030-01-01T00:00:00Z")]
    [InlineData("colour=red")]
    public async Task A_bad_question_is_refused(string query)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(400, (await cloud.Send("GET", "/metering/v1/usage?" + query, user: "demo")).Status);
    }

    [Fact]
    public async Task Deaths_and_repeats_lose_no_millisecond_and_count_none_twice()
    {
        for (var death = 0; death < 24; death++)
        {
            await using var cloud = await TestCloud.Start(0);
            Event[] events = [Of(1, 0, "creating"), Of(2, 1_000, "available"), Of(3, 5_000, "available", 7), Of(4, 6_500, "deleting", 7, doomed: true), Of(5, 9_000, "deleting", 7, verb: "deleted")];
            var left = death;
            cloud.Store.OnCommit = _ => { if (left-- == 0) throw new Death(); };
            // Each comes until it is taken, then all come again.
            foreach (var e in events.Concat(events))
                for (var tries = 0; ; tries++)
                    try { await Accounts.OnEvent(cloud.Services, e, default); break; }
                    catch (Death) when (tries < 2) { }
            cloud.Store.OnCommit = null;
            var entries = new List<Entry>();
            await foreach (var e in Accounts.Between(cloud.Store, "p", T0, T0.AddHours(1))) entries.Add(e);
            Assert.Equal([(2L, 4_000L), (7L, 1_500L)], entries.Select(e => (e.Interval.Quantity, Cloud.Metering.Usage.Milliseconds(e.Interval, T0, T0.AddHours(1)))));
            // Each end is told of exactly once in the log.
            await cloud.Drain();
            Assert.Equal(2, (await Cloud.Events.EventLog.After(cloud.Store, "p", 0, 100)).Count(e => e.EventId.StartsWith("interval:", StringComparison.Ordinal)));
            Assert.DoesNotContain(cloud.Store.All, r => r.Partition == "metering.p" && r.Key.StartsWith("live|", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_event_too_old_to_know_is_refused_and_what_is_forgotten_stays_counted()
    {
        await using var cloud = await TestCloud.Start(0);
        foreach (var e in new[] { Of(1, 0, "available"), Of(2, 1_000, "available", verb: "deleted") }) await Accounts.OnEvent(cloud.Services, e, default);
        cloud.Clock.Advance(TimeSpan.FromDays(61));
        await Accounts.Forget(cloud.Services, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Accounts.OnEvent(cloud.Services, Of(1, 0, "available"), default));
        var entries = new List<Entry>();
        await foreach (var e in Accounts.Between(cloud.Store, "p", T0, cloud.Clock.GetUtcNow())) entries.Add(e);
        Assert.Equal(T0.AddSeconds(1), Assert.Single(entries).Interval.To);
    }

    private static readonly DateTimeOffset T0 = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static Event Of(int revision, int milliseconds, string status, int size = 2, bool doomed = false, string verb = "updated")
    {
        var state = new { CreatedAt = T0, Status = status, Size = size, Doomed = doomed };
        return Event.Read(JsonSerializer.SerializeToUtf8Bytes(new
        {
            id = $"e{revision}", type = $"cloud.serverless.block-storage.volume.{verb}", subject = "v", time = T0.AddMilliseconds(milliseconds),
            data = new { project_id = "p", revision, before = state, after = verb == "deleted" ? null : state },
        }));
    }
}
