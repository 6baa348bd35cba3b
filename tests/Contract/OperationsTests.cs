using System.Text.Json;
using Cloud.Platform.Agents;
using Cloud.Platform.Events;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

public sealed class OperationsTests
{
    [Theory]
    [InlineData("queues")]
    [InlineData("dead-letters")]
    [InlineData("sagas")]
    [InlineData("alerts")]
    public async Task Only_administrators_look_inside(string what)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(403, (await cloud.Send("GET", "/ops/v1/" + what, user: "demo")).Status);
        var answer = await cloud.Send("GET", "/ops/v1/" + what);
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(400, (await cloud.Send("GET", $"/ops/v1/{what}?colour=red")).Status);
    }

    [Fact]
    public async Task A_saga_in_flight_is_seen_with_its_step()
    {
        await using var cloud = await TestCloud.Start();
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "demo")).Body.GetProperty("projects")[0].GetProperty("id").GetString();
        await cloud.Send("POST", $"/volume/v3/{project}/volumes", new { volume = new { size = 1 } }, "demo");
        var saga = Assert.Single((await cloud.Send("GET", "/ops/v1/sagas")).Body.GetProperty("sagas").EnumerateArray());
        Assert.Equal(("volume-create-1", "origin", "forward", false), (saga.GetProperty("name").GetString(), saga.GetProperty("step").GetString(), saga.GetProperty("direction").GetString(), saga.GetProperty("overdue").GetBoolean()));
        Assert.Contains((await cloud.Send("GET", "/ops/v1/queues")).Body.GetProperty("queues").EnumerateArray(), q => q.GetProperty("name").GetString() == SagaMessage.Queue && q.GetProperty("messages").GetInt32() == 1);
        await cloud.Drain();
        Assert.Empty((await cloud.Send("GET", "/ops/v1/sagas")).Body.GetProperty("sagas").EnumerateArray());
    }

    [Fact]
    public async Task A_dead_letter_is_seen_without_its_secrets_and_can_be_replayed()
    {
        await using var cloud = await TestCloud.Start();
        var body = JsonSerializer.SerializeToUtf8Bytes(new { id = "a/b", type = "cloud.serverless.x.y.z", subject = "s", time = cloud.Clock.GetUtcNow(), data = new { project_id = "p", password = "hunter2" } });
        await cloud.Bus.Send([new(CloudEvent.Queue, "a/b", body)]);
        await cloud.Bus.Reject((await cloud.Bus.Receive(CloudEvent.Queue, 1, TimeSpan.FromMinutes(1), TimeSpan.Zero))[0], "tried in vain");
        var letters = await cloud.Send("GET", "/ops/v1/dead-letters");
        var letter = Assert.Single(letters.Body.GetProperty("dead_letters").EnumerateArray());
        Assert.Equal(("a/b", "tried in vain", "cloud.serverless.x.y.z of s"), (letter.GetProperty("id").GetString(), letter.GetProperty("reason").GetString(), letter.GetProperty("about").GetString()));
        Assert.DoesNotContain("hunter2", letters.Text, StringComparison.Ordinal);
        Assert.Equal(403, (await cloud.Send("POST", "/ops/v1/dead-letters/events/a%2Fb/replay", user: "demo")).Status);
        Assert.Equal(202, (await cloud.Send("POST", "/ops/v1/dead-letters/events/a%2Fb/replay")).Status);
        Assert.Equal(404, (await cloud.Send("POST", "/ops/v1/dead-letters/events/a%2Fb/replay")).Status);
        await cloud.Drain();
        Assert.Contains("a/b", (await cloud.Send("GET", "/events/v1/events?all_projects=1&type=cloud.serverless.x.*")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_is_let_in_by_its_newest_credential_until_that_is_void()
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(403, (await cloud.Send("POST", "/ops/v1/hosts/rack-1/credential", user: "demo")).Status);
        Assert.Equal(400, (await cloud.Send("POST", "/ops/v1/hosts/rack%7C1/credential")).Status);
        var secrets = new List<string>();
        for (var i = 0; i < 2; i++) secrets.Add((await cloud.Send("POST", "/ops/v1/hosts/rack-1/credential")).Body.GetProperty("secret").GetString()!);
        Assert.False(await HostKeys.Check(cloud.Store, "rack-1", secrets[0]));
        Assert.True(await HostKeys.Check(cloud.Store, "rack-1", secrets[1]));
        Assert.Equal(204, (await cloud.Send("DELETE", "/ops/v1/hosts/rack-1/credential")).Status);
        Assert.False(await HostKeys.Check(cloud.Store, "rack-1", secrets[1]));
        Assert.DoesNotContain(cloud.Store.All, r => System.Text.Encoding.UTF8.GetString(r.Body.Span).Contains(secrets[1], StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_alert_stays_until_it_is_done_and_its_tenant_does_not_see_it()
    {
        await using var cloud = await TestCloud.Start();
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "demo")).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
        foreach (var text in new[] { "first", "second" })
        {
            await cloud.Bus.Send([CloudEvent.Alert(cloud.Services, "saga-overdue", "v", project, text)]);
            await cloud.Drain();
            cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        var alerts = (await cloud.Send("GET", "/ops/v1/alerts")).Body.GetProperty("alerts");
        Assert.Equal(["second", "first"], alerts.EnumerateArray().Select(a => a.GetProperty("text").GetString()));
        Assert.DoesNotContain("alert", (await cloud.Send("GET", "/events/v1/events", user: "demo")).Text, StringComparison.Ordinal);
        Assert.Equal(204, (await cloud.Send("DELETE", $"/ops/v1/alerts/{alerts[0].GetProperty("id").GetString()}")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", $"/ops/v1/alerts/{alerts[0].GetProperty("id").GetString()}")).Status);
        cloud.Clock.Advance(TimeSpan.FromDays(91));
        cloud.Forget();
        await Cloud.Operations.Alerts.Forget(cloud.Services, default);
        Assert.Empty((await cloud.Send("GET", "/ops/v1/alerts")).Body.GetProperty("alerts").EnumerateArray());
    }

    [Fact]
    public async Task Its_numbers_are_what_Prometheus_reads()
    {
        Cloud.Operations.Prometheus.Listen();
        await using var cloud = await TestCloud.Start();
        Assert.Equal(405, (await cloud.Send("BREW\"{}", "/ops/v1/queues")).Status);
        var before = (await cloud.Send("GET", "/ops/v1/metrics")).Text;
        var answer = await cloud.Send("GET", "/ops/v1/metrics");
        Assert.Equal(200, answer.Status);
        var lines = answer.Text.TrimEnd('\n').Split('\n');
        Assert.All(lines, l => Assert.Matches("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [0-9.E+-]+)$""", l));
        Assert.Equal(lines.Length, lines.Distinct().Count());
        Assert.Contains($"cloud_host_up{{host=\"{cloud.Hosts[0].Name}\"}} 1", lines);
        const string own = "http_server_request_duration_seconds_count{service=\"ops\",http_request_method=\"GET\",http_response_status_code=\"200\"} ";
        long Count(string text) => text.Split('\n').Where(l => l.StartsWith(own, StringComparison.Ordinal)).Select(l => long.Parse(l[own.Length..], System.Globalization.CultureInfo.InvariantCulture)).SingleOrDefault();
        Assert.True(Count(answer.Text) > Count(before));
        // What a client made up is no label.
        Assert.DoesNotContain("BREW", answer.Text, StringComparison.Ordinal);
        Assert.Contains("http_request_method=\"_OTHER\"", answer.Text, StringComparison.Ordinal);
        Assert.Equal(403, (await cloud.Send("GET", "/ops/v1/metrics", user: "demo")).Status);
    }
}
