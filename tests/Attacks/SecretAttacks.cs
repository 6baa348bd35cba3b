using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit.ObjectStorage;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Everything secret that the main operations carry has this word in it, or is written down as it is made. Then everything fails, and all that anybody can read afterwards is searched.</summary>
public sealed class SecretAttacks
{
    private const string Canary = "Canary-7d1f";

    // Where secrets are kept because somebody needs them as they are: whoever reads these rows reads the store itself.
    private static readonly string[] Kept = ["account", "alarm", "c", "consumer", "credential", "server", "task", "webhook"];

    [Fact]
    public async Task No_secret_is_in_a_log_an_event_a_history_a_dead_letter_or_in_what_operators_see()
    {
        await using var cloud = await TestCloud.Start();
        using var watched = new WatchedTrace();
        var messages = new List<Message>();
        cloud.Bus.OnAdd = messages.Add;
        var secrets = new List<string> { Canary, Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary + "-user-data")) };
        async Task<Answer> Do(string method, string target, object? body = null, string user = "demo", params (string, string)[] headers)
        {
            using var span = Tracing.Begin(method, ActivityKind.Server, $"00-{watched.Trace}-00f067aa0ba902b7-01");
            var answer = await cloud.Send(method, target, body, user, headers);
            Assert.True(answer.Status < 300, $"{method} {target}: {answer.Status} {answer.Text}");
            await cloud.Drain();
            return answer;
        }
        // Receivers that refuse, stores that are away, hosts that fail, and at last a store that takes no write while everything is tried again.
        cloud.Internet.Name("there.example", "8.8.8.8");
        cloud.Internet.Server("8.8.8.8:80", _ => throw new IOException("refused"));
        cloud.Internet.Server("8.8.8.8:443", _ => throw new IOException("refused"));
        var (project, demo) = (await cloud.IdOf("projects", "demo"), await cloud.IdOf("users", "demo"));
        var ann = (await Do("POST", "/identity/v3/users", new { user = new { name = "ann", password = Canary + "-1" } }, "admin")).Id("user");
        Assert.Equal(204, (await cloud.Send("POST", $"/identity/v3/users/{ann}/password", new { user = new { original_password = Canary + "-1", password = Canary + "-2" } })).Status);
        foreach (var password in (string[])[Canary + "-2", Canary + "-wrong"]) await cloud.Login("ann", null, password);
        var lent = await Do("POST", $"/identity/v3/users/{demo}/application_credentials", new { application_credential = new { name = "a", secret = Canary + "-lent" } });
        secrets.Add((await cloud.Authenticate(lent)).Token());
        await Do("POST", "/identity/v3/credentials", new { credential = new { type = "totp", blob = Canary + "BLOB", user_id = demo } });
        secrets.Add((await Do("POST", $"/identity/v3/users/{demo}/credentials/OS-EC2", new { tenant_id = project })).Body.GetProperty("credential").GetProperty("secret").GetString()!);
        secrets.Add((await Do("POST", "/identity/v3/OS-OAUTH1/consumers", new { consumer = new { } }, "admin")).Body.GetProperty("consumer").GetProperty("secret").GetString()!);
        secrets.Add((await Do("POST", "/events/v1/webhooks", new { webhook = new { url = "https://there.example/x?token=" + Canary } })).Body.GetProperty("secret").GetString()!);
        secrets.Add(await cloud.Token("demo"));
        var metric = (await Do("POST", "/metric/v1/metric", new { archive_policy_name = "high" })).Id("");
        await Do("POST", "/alarming/v2/alarms", new { name = "a", type = "gnocchi_aggregation_by_metrics_threshold", alarm_actions = new[] { "http://there.example/?token=" + Canary }, gnocchi_aggregation_by_metrics_threshold_rule = new { metrics = new[] { metric }, aggregation_method = "mean", threshold = 1, comparison_operator = "gt", granularity = 60, evaluation_periods = 1 } });
        await Do("POST", $"/metric/v1/metric/{metric}/measures", new[] { new { timestamp = cloud.Services.Now.ToUnixTimeSeconds(), value = 9 } });
        await Do("POST", $"/object-store/v1/AUTH_{project}", null, "demo", ("X-Account-Meta-Temp-Url-Key", Canary + "-account"));
        await Do("PUT", $"/object-store/v1/AUTH_{project}/c", null, "demo", ("X-Container-Meta-Temp-Url-Key", Canary + "-container"), ("X-Container-Sync-Key", Canary + "-sync"));
        var image = (await Do("POST", "/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare" })).Id("");
        await Do("POST", $"/image/v2/images/{image}/import", new { method = new { name = "web-download", uri = "http://there.example/i?signature=" + Canary } });
        var good = (await cloud.Image([.. new byte[1024]])).Id;
        secrets.Add((await Do("POST", "/compute/v2.1/os-keypairs", new { keypair = new { name = "k" } })).Body.GetProperty("keypair").GetProperty("private_key").GetString()!);
        cloud.Store.OnCommit = null;
        async Task Boot(string name) => await Do("POST", "/compute/v2.1/servers", new { server = new { name, flavorRef = "1", imageRef = good, networks = "none", key_name = "k", adminPass = Canary + "-admin", user_data = secrets[1] } }, "demo", ("OpenStack-API-Version", "compute 2.93"));
        await Boot("runs");
        var line = cloud.Line;
        cloud.Line = (host, m) => line(host, m with { Fence = -1 });
        await Boot("fails");
        await cloud.Pass(TimeSpan.FromMinutes(3));
        cloud.Line = line;

        await cloud.Bus.Send([new(Cloud.Platform.Events.CloudEvent.Queue, "broken", Encoding.UTF8.GetBytes($$"""{"id":"broken","data":{"password":"{{Canary}}"} }"""))]);
        await cloud.Send("DELETE", "/events/v1/webhooks/nothing");
        cloud.Store.OnCommit = _ => throw new StoreIsGone();
        for (var i = 0; i < 15; i++)
        {
            await cloud.Crank();
            cloud.Clock.Advance(TimeSpan.FromMinutes(1));
        }
        foreach (var password in (string[])[Canary + "-2", Canary + "-wrong"]) await cloud.Login("ann", null, password);
        var broken = new List<Answer> { await cloud.Send("POST", "/identity/v3/users", new { user = new { name = "bob", password = Canary } }), await cloud.Send("POST", "/events/v1/webhooks", new { webhook = new { url = "https://there.example/y?token=" + Canary } }, "demo") };
        cloud.Store.OnCommit = null;
        Assert.NotEmpty(cloud.Errors);
        Assert.NotEmpty(cloud.Bus.Dead);

        void Clean(string where, string text)
        {
            foreach (var secret in secrets) Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{where} tells a secret: {text[Math.Max(0, text.IndexOf(secret, StringComparison.Ordinal) - 400)..Math.Min(text.IndexOf(secret, StringComparison.Ordinal) + 100, text.Length)]}");
        }
        Assert.True(messages.Count > 100 && watched.Spans.Count > 30, $"{messages.Count} messages, {watched.Spans.Count} spans");
        foreach (var span in watched.Spans) Clean("trace", $"{span.DisplayName} {span.StatusDescription} {string.Join(' ', span.Tags)} {string.Join(' ', span.Events.SelectMany(e => e.Tags))} {string.Join(' ', span.Baggage)}");
        // A guest's user data and password go to its host, and an alarm's notice where it was to go. Nothing else needs a message to carry a secret; the broken one is the test's own.
        foreach (var m in messages.Where(m => m.Id != "broken" && m.Queue != "alarm-notify" && !(m.Queue.StartsWith("host.", StringComparison.Ordinal) && Encoding.UTF8.GetString(m.Body.Span).Contains("\"EnsureDomain\"", StringComparison.Ordinal)))) Clean($"message of {m.Queue}", Encoding.UTF8.GetString(m.Body.Span));
        Clean("log", string.Join('\n', cloud.Errors));
        foreach (var answer in broken) Clean("answer", answer.Text);
        foreach (var what in (string[])["/ops/v1/queues", "/ops/v1/dead-letters", "/ops/v1/sagas", "/ops/v1/alerts", "/events/v1/events?all_projects=1&limit=1000", "/identity/v3/users", "/compute/v2.1/servers/detail?all_tenants=1", "/image/v2/images", "/image/v2/tasks"])
            Clean(what, (await cloud.Send("GET", what)).Text);
        foreach (var server in (await cloud.Send("GET", "/compute/v2.1/servers")).Body.GetProperty("servers").EnumerateArray())
            Clean("history", (await cloud.Send("GET", $"/compute/v2.1/servers/{server.GetProperty("id").GetString()}/os-instance-actions")).Text);
        var told = cloud.Store.All.Where(r => secrets.Exists(s => Encoding.UTF8.GetString(r.Body.Span).Contains(s, StringComparison.Ordinal))).Select(r => r.Key.Split('|')[0]).Distinct();
        Assert.Equal(Kept, told.Order(StringComparer.Ordinal));
    }

    /// <summary>A dependency that says more of itself than anybody should hear.</summary>
    private sealed class StoreIsGone() : Exception("SqliteException in /var/lib/cloud/state.db: Password=hunter2");

    [Theory, MemberData(nameof(Services))]
    public async Task Whatever_fails_the_answer_is_a_status_and_a_request_and_no_more(string prefix)
    {
        await using var cloud = await TestCloud.Start();
        var (token, project) = (await cloud.Token(), await cloud.IdOf("projects", "admin"));
        var s3 = prefix == "s3" ? await S3Client.For(cloud) : null;
        var gone = cloud.Copy(wrap: s => new GoneStore(s));
        var failed = 0;
        foreach (var route in Slices.All.Single(s => s.Prefix == prefix).Routes)
        {
            var path = $"/{prefix}" + string.Join('/', route.Path.Split('/').Select(p => p is "{project_id}" ? project : p is "{account}" ? "AUTH_" + project : p.StartsWith('{') ? "x" : p));
            var answer = s3 is not null ? await gone.Raw(route.Method, path, token, null) : await gone.Raw(route.Method, path, token, route.Method is "GET" or "HEAD" or "DELETE" ? null : "{}");
            if (answer.Status >= 500) failed++;
            foreach (var word in (string[])["Sqlite", "state.db", "hunter2", "Exception", "   at ", "/var/"])
                Assert.False(answer.Text.Contains(word, StringComparison.Ordinal) || answer.Headers.Values.Any(v => v.Contains(word, StringComparison.Ordinal)), $"{route.Method} {path}: {answer.Status} {answer.Text}");
        }
        Assert.True(failed > 0 || prefix == "s3", "nothing failed, so nothing was seen");
    }

    public static TheoryData<string> Services => [.. Slices.All.Select(s => s.Prefix)];

    /// <summary>Knows who asks, and nothing else.</summary>
    private sealed class GoneStore(MemoryStore inner) : Cloud.Platform.State.IEntityStore
    {
        private static bool Knows(string partition) => partition is "cloud" or "tokens" or "keys" || partition.StartsWith("grants", StringComparison.Ordinal) || partition.StartsWith("token", StringComparison.Ordinal);
        public ValueTask<Cloud.Platform.State.Row?> Get(string partition, string key, CancellationToken ct = default) => Knows(partition) ? inner.Get(partition, key, ct) : throw new StoreIsGone();
        public ValueTask<IReadOnlyList<Cloud.Platform.State.Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default) => partition != "cloud" && Knows(partition) ? inner.List(partition, from, to, limit, ct) : throw new StoreIsGone();
        public IAsyncEnumerable<Cloud.Platform.State.Row> Scan(string from, string to, CancellationToken ct = default) => throw new StoreIsGone();
        public IAsyncEnumerable<Cloud.Platform.State.Row> Partitions(string prefix, CancellationToken ct = default) => throw new StoreIsGone();
        public ValueTask Commit(string partition, IReadOnlyList<Cloud.Platform.State.Op> ops, IReadOnlyList<Cloud.Platform.Bus.Message>? messages = null, CancellationToken ct = default) => throw new StoreIsGone();
    }
}
