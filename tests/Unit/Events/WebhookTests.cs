using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Events.Webhooks;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Events;

/// <summary>Webhooks as their owners and receivers know them.</summary>
public sealed class WebhookTests
{
    private const string Hooks = "/events/v1/webhooks";

    private static string Id(JsonElement made) => made.GetProperty("webhook").GetProperty("id").GetString()!;

    private static bool Verifies(WebhookReceiver.Got got, string secret, int which = 0)
    {
        var text = $"{got.Headers["webhook-id"]}.{got.Headers["webhook-timestamp"]}.{got.Body}";
        return got.Headers["webhook-signature"].Split(' ')[which] == "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public async Task What_happens_is_sent_signed_once_and_without_what_is_for_operators()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        await receiver.Emit("before a");
        var made = await receiver.Hook();
        await receiver.Emit("e1 a", "e2 b", "e3 a");
        await receiver.Emit("e3 a"); // it came twice inside
        Assert.Equal([], cloud.Errors);
        Assert.Equal(["e1", "e2", "e3"], receiver.Ids.Where(i => i[0] == 'e'));
        var got = receiver.All.Single(g => g.Id == "e1");
        Assert.Equal("e1", got.Headers["webhook-id"]);
        Assert.Equal("application/cloudevents+json", got.Headers["Content-Type"]);
        Assert.Equal(cloud.Clock.GetUtcNow().ToUnixTimeSeconds(), long.Parse(got.Headers["webhook-timestamp"], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(made.GetProperty("webhook").GetProperty("keys")[0].GetProperty("id").GetString(), got.Headers["webhook-key-id"]);
        Assert.True(Verifies(got, made.GetProperty("secret").GetString()!));
        Assert.False(Verifies(got with { Body = got.Body.Replace("e1", "e9", StringComparison.Ordinal) }, made.GetProperty("secret").GetString()!));
        Assert.DoesNotContain("operator", got.Body, StringComparison.Ordinal);
        Assert.True(got.Event.TryGetProperty("sequence", out _));
    }

    [Fact]
    public async Task A_secret_is_shown_to_who_made_it_and_never_again()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var made = await receiver.Hook();
        var secret = made.GetProperty("secret").GetString()!;
        Assert.Equal(32, Convert.FromBase64String(secret["whsec_".Length..]).Length);
        foreach (var path in new[] { "", "/" + Id(made), "/" + Id(made) + "/status", "/" + Id(made) + "/deliveries" })
            Assert.DoesNotContain("whsec_", (await cloud.Send("GET", Hooks + path, user: "demo")).Text, StringComparison.Ordinal);
        Assert.Contains("webhook.created", (await cloud.Send("GET", "/events/v1/events", user: "demo")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("whsec_", (await cloud.Send("GET", "/events/v1/events?all_projects=1&limit=1000")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(cloud.Errors, e => e.Contains("whsec_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Filters_let_through_what_fits_all_of_them()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        await receiver.Hook(new { types = new[] { "cloud.serverless.test.*" }, kinds = new[] { "test.thing" }, subjects = new[] { "a", "b" } });
        await receiver.Emit("e1 a", "e2 c");
        await receiver.Emit("cloud.serverless.test.other.created", ["e3 a"]);
        await receiver.Emit("cloud.serverless.other.port.created", ["e4 b"]);
        await receiver.Emit("cloud.serverless.test.thing.deleted", ["e5 b"]);
        Assert.Equal(["e1", "e5"], receiver.Ids);
    }

    [Fact]
    public async Task An_event_that_nobody_wants_writes_nothing_for_any_webhook()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var id = Id(await receiver.Hook(new { types = new[] { "cloud.serverless.network.*" } }));
        var before = cloud.Store.All.Where(r => r.Partition == HookState.PartitionOf(id)).ToList();
        await receiver.Emit("e1 a");
        Assert.Equal(before, cloud.Store.All.Where(r => r.Partition == HookState.PartitionOf(id)));
        Assert.DoesNotContain(cloud.Bus.All, m => m.Queue == Wake.Queue);
    }

    [Fact]
    public async Task A_refused_event_holds_back_its_resource_and_nothing_else()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var id = Id(await receiver.Hook(new { kinds = new[] { "test.thing" } }));
        var healed = false;
        receiver.Answer = g => g.Id == "e1" && !healed ? 500 : 200;
        await receiver.Emit("e1 a", "e2 b", "e3 a", "e4 c");
        Assert.Equal(["e1", "e2", "e4"], receiver.Ids);
        await cloud.Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(["e1", "e2", "e4", "e1"], receiver.Ids);
        var status = (await cloud.Send("GET", $"{Hooks}/{id}/status", user: "demo")).Body.GetProperty("status");
        Assert.Equal(2, status.GetProperty("put_off").GetInt32());
        Assert.Equal(("a", 2), (status.GetProperty("stuck")[0].GetProperty("subject").GetString(), status.GetProperty("stuck")[0].GetProperty("attempts").GetInt32()));
        healed = true;
        await receiver.Emit("e5 a");
        await cloud.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal(["e1", "e3", "e5"], receiver.Ids.Skip(4));
        Assert.Equal(0, (await cloud.Send("GET", $"{Hooks}/{id}/status", user: "demo")).Body.GetProperty("status").GetProperty("put_off").GetInt32());
        Assert.DoesNotContain(cloud.Store.All, r => r.Key.StartsWith("late|", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_refused_for_a_day_is_given_up_told_and_the_next_comes()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var id = Id(await receiver.Hook());
        receiver.Answer = g => g.Id == "e1" ? 400 : 200;
        await receiver.Emit("e1 a", "e2 a");
        await cloud.Pass(TimeSpan.FromHours(25));
        cloud.Forget();
        Assert.InRange(receiver.Ids.Count(i => i == "e1"), 90, 130); // a quarter of an hour apart in the end
        Assert.Single(receiver.Ids, "e2");
        var told = cloud.Events.Single(e => e.Type == "cloud.serverless.events.webhook.gave_up");
        Assert.Equal(id, told.Subject);
        Assert.DoesNotContain(receiver.All, g => g.Body.Contains("webhook.gave_up", StringComparison.Ordinal));
        var log = (await cloud.Send("GET", $"{Hooks}/{id}/deliveries?outcome=given_up", user: "demo")).Body.GetProperty("deliveries");
        Assert.Equal("e1", log[0].GetProperty("event_id").GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task While_nobody_answers_nothing_is_sent_but_a_probe_now_and_then(int? answer)
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var id = Id(await receiver.Hook(new { kinds = new[] { "test.thing" } }));
        receiver.Answer = _ => answer;
        await receiver.Emit([.. Enumerable.Range(0, 40).Select(i => $"e{i} s{i % 20}")]);
        Assert.Single(receiver.All);
        await cloud.Pass(TimeSpan.FromHours(2));
        Assert.InRange(receiver.All.Count, 5, 45); // three at most each time
        cloud.Forget();
        var outage = (await cloud.Send("GET", $"{Hooks}/{id}/status", user: "demo")).Body.GetProperty("status").GetProperty("outage");
        Assert.Equal(answer is null ? "The URL could not be fetched." : $"It answered {answer}.", outage.GetProperty("reason").GetString());
        var before = receiver.All.Count;
        receiver.Answer = _ => 204;
        await cloud.Pass(TimeSpan.FromMinutes(20));
        var got = receiver.Ids.Skip(before).ToList();
        Assert.Equal(40, got.Count);
        Assert.Equal(40, got.Distinct().Count());
        for (var s = 0; s < 20; s++) Assert.Equal([$"e{s}", $"e{s + 20}"], receiver.All.Skip(before).Where(g => g.Subject == $"s{s}").Select(g => g.Id));
        await receiver.Emit("last x");
        Assert.Equal("last", receiver.Ids.Last());
    }

    [Fact]
    public async Task One_event_that_chokes_the_receiver_is_no_outage()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        await receiver.Hook(new { kinds = new[] { "test.thing" } });
        receiver.Answer = g => g.Id == "e1" ? null : 200;
        await receiver.Emit("e1 a", "e2 b", "e3 a", "e4 c");
        await cloud.Pass(TimeSpan.FromSeconds(10));
        await receiver.Emit("e5 d");
        await cloud.Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(["e2", "e4", "e5"], receiver.Ids.Where(i => i != "e1").Order(StringComparer.Ordinal));
        Assert.True(receiver.Ids.Count(i => i == "e1") >= 3);
    }

    [Fact]
    public async Task After_a_day_without_success_or_with_410_it_is_disabled_and_goes_on_when_resumed()
    {
        foreach (var answer in new int?[] { null, 410 })
        {
            await using var cloud = await TestCloud.Start(0);
            var receiver = await WebhookReceiver.Start(cloud);
            var id = Id(await receiver.Hook(new { kinds = new[] { "test.thing" } }));
            receiver.Answer = _ => answer;
            await receiver.Emit("e1 a", "e2 b");
            if (answer is null) await cloud.Pass(TimeSpan.FromHours(25));
            cloud.Forget();
            var hook = (await cloud.Send("GET", $"{Hooks}/{id}", user: "demo")).Body.GetProperty("webhook");
            Assert.Equal("disabled", hook.GetProperty("status").GetString());
            Assert.Contains(answer is null ? "for a day" : "410", hook.GetProperty("status_reason").GetString(), StringComparison.Ordinal);
            Assert.Contains(cloud.Events, e => e.Type == "cloud.serverless.alert.webhook-disabled" && e.Subject == id);
            Assert.Equal("cloud.serverless.events.webhook.updated", cloud.Events.Last(e => e.Subject == id && e.Type.Contains(".webhook.", StringComparison.Ordinal)).Type);
            Assert.Equal(409, (await cloud.Send("POST", $"{Hooks}/{id}/redeliver", new { after = "0" }, "demo")).Status);
            var before = receiver.All.Count;
            await receiver.Emit("e3 c");
            Assert.Equal(before, receiver.All.Count);
            receiver.Answer = _ => 200;
            Assert.Equal(200, (await cloud.Send("POST", $"{Hooks}/{id}/resume", user: "demo")).Status);
            await cloud.Drain();
            // Of three resources, so at the same time.
            Assert.Equal(["e1", "e2", "e3"], receiver.Ids.Skip(before).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_paused_one_gets_later_what_happened_meanwhile()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var id = Id(await receiver.Hook(new { kinds = new[] { "test.thing" } }));
        Assert.Equal("paused", (await cloud.Send("POST", $"{Hooks}/{id}/pause", user: "demo")).Body.GetProperty("webhook").GetProperty("status").GetString());
        await receiver.Emit("e1 a");
        Assert.Empty(receiver.All);
        await cloud.Send("POST", $"{Hooks}/{id}/resume", user: "demo");
        await cloud.Drain();
        Assert.Equal(["e1"], receiver.Ids);
    }

    [Fact]
    public async Task Two_keys_sign_until_the_old_one_is_retired()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var made = await receiver.Hook();
        var (id, old) = (Id(made), made.GetProperty("secret").GetString()!);
        var rotated = (await cloud.Send("POST", $"{Hooks}/{id}/rotate", user: "demo")).Body;
        var fresh = rotated.GetProperty("secret").GetString()!;
        Assert.NotEqual(old, fresh);
        Assert.Equal(409, (await cloud.Send("POST", $"{Hooks}/{id}/rotate", user: "demo")).Status);
        await cloud.Drain();
        await receiver.Emit("e1 a");
        var got = receiver.All.Single(g => g.Id == "e1");
        Assert.True(Verifies(got, fresh) && Verifies(got, old, 1));
        var keys = rotated.GetProperty("webhook").GetProperty("keys").EnumerateArray().Select(k => k.GetProperty("id").GetString()).ToList();
        Assert.Equal(string.Join(' ', keys), got.Headers["webhook-key-id"]);
        Assert.Equal(404, (await cloud.Send("DELETE", $"{Hooks}/{id}/keys/none", user: "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", $"{Hooks}/{id}/keys/{keys[1]}", user: "demo")).Status);
        Assert.Equal(409, (await cloud.Send("DELETE", $"{Hooks}/{id}/keys/{keys[0]}", user: "demo")).Status);
        await receiver.Emit("e2 a");
        Assert.Equal(2, receiver.All.Single(g => g.Id == "e2").Headers["webhook-signature"].Split(' ', ',').Length);
    }

    [Fact]
    public async Task A_test_says_at_once_what_came_of_it()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var made = await receiver.Hook(new { types = new[] { "none" } });
        var tried = (await cloud.Send("POST", $"{Hooks}/{Id(made)}/test", user: "demo")).Body;
        Assert.True(tried.GetProperty("delivered").GetBoolean());
        var got = Assert.Single(receiver.All);
        Assert.Equal(tried.GetProperty("event_id").GetString(), got.Id);
        Assert.True(Verifies(got, made.GetProperty("secret").GetString()!));
        receiver.Answer = _ => 500;
        tried = (await cloud.Send("POST", $"{Hooks}/{Id(made)}/test", user: "demo")).Body;
        Assert.Equal((false, 500, "It answered 500."), (tried.GetProperty("delivered").GetBoolean(), tried.GetProperty("status").GetInt32(), tried.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task The_log_shows_each_attempt_with_its_payload_and_what_is_asked_for_comes_again()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var id = Id(await receiver.Hook(new { kinds = new[] { "test.thing" } }));
        await receiver.Emit("e1 a", "e2 b", "e3 a");
        var log = (await cloud.Send("GET", $"{Hooks}/{id}/deliveries", user: "demo")).Body.GetProperty("deliveries").EnumerateArray().ToList();
        Assert.Equal(["e3", "e2", "e1"], log.Select(d => d.GetProperty("event_id").GetString()));
        var page = (await cloud.Send("GET", $"{Hooks}/{id}/deliveries?limit=2", user: "demo")).Body;
        var rest = (await cloud.Send("GET", $"{Hooks}/{id}/deliveries?cursor={page.GetProperty("next").GetString()}", user: "demo")).Body;
        Assert.Equal(["e1"], rest.GetProperty("deliveries").EnumerateArray().Select(d => d.GetProperty("event_id").GetString()));
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next").ValueKind);
        var one = (await cloud.Send("GET", $"{Hooks}/{id}/deliveries/{log[2].GetProperty("number")}", user: "demo")).Body.GetProperty("delivery");
        Assert.Equal(receiver.All[0].Body, one.GetProperty("request").GetProperty("body").GetString());
        Assert.Equal("***", one.GetProperty("request").GetProperty("headers").GetProperty("webhook-signature").GetString());

        Assert.Equal(202, (await cloud.Send("POST", $"{Hooks}/{id}/redeliver", new { delivery = log[1].GetProperty("number").GetInt64() }, "demo")).Status);
        await cloud.Drain();
        Assert.Equal(["e1", "e2", "e3", "e2"], receiver.Ids);
        var after = long.Parse(log[2].GetProperty("sequence").GetString()!, System.Globalization.CultureInfo.InvariantCulture) - 1;
        Assert.Equal(202, (await cloud.Send("POST", $"{Hooks}/{id}/redeliver", new { after = $"{after}" }, "demo")).Status);
        await cloud.Drain();
        Assert.Equal(["e1", "e2", "e3"], receiver.Ids.Skip(4).Order(StringComparer.Ordinal));
        Assert.Equal(4, (await cloud.Send("GET", $"{Hooks}/{id}/deliveries", user: "demo")).Body.GetProperty("deliveries").EnumerateArray().Count(d => d.GetProperty("redelivery").GetBoolean()));
    }

    [Fact]
    public async Task It_may_begin_in_the_past()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        await receiver.Emit("e1 a");
        await receiver.Hook(new { cursor = "0", kinds = new[] { "test.thing" } });
        Assert.Equal(["e1"], receiver.Ids);
    }

    [Fact]
    public async Task What_is_deleted_leaves_nothing()
    {
        await using var cloud = await TestCloud.Start(0);
        await cloud.AddUser("carol");
        var receiver = await WebhookReceiver.Start(cloud, user: "carol");
        var (first, second) = (Id(await receiver.Hook(user: "carol")), Id(await receiver.Hook(user: "carol")));
        await receiver.Emit("e1 a");
        Assert.Contains(cloud.Store.All, r => r.Partition == HookState.PartitionOf(first));
        Assert.Equal(204, (await cloud.Send("DELETE", $"{Hooks}/{first}", user: "carol")).Status);
        await cloud.Drain();
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/projects/" + receiver.Project)).Status);
        await cloud.Drain();
        Assert.DoesNotContain(cloud.Store.All, r => (r.Partition + r.Key).Contains(first, StringComparison.Ordinal) && r.Partition != "events");
        Assert.DoesNotContain(cloud.Store.All, r => (r.Partition + r.Key).Contains(second, StringComparison.Ordinal) && r.Partition != "events");
        Assert.DoesNotContain(cloud.Bus.All, m => m.Queue == Wake.Queue);
    }

    [Fact]
    public async Task Only_administrators_hear_of_the_whole_cloud_and_then_all_of_it()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        Assert.Equal(403, (await cloud.Send("POST", Hooks, new { webhook = new { url = receiver.Url, all_projects = true } }, "demo")).Status);
        Assert.Equal(400, (await cloud.Send("POST", Hooks, new { webhook = new { url = receiver.Url, projects = new[] { receiver.Project } } }, "admin")).Status);
        var id = Id(await receiver.Hook(new { all_projects = true, projects = new[] { receiver.Project }, kinds = new[] { "test.thing" } }, "admin"));
        await receiver.Emit("e1 a");
        Assert.Contains("operator", Assert.Single(receiver.All).Body, StringComparison.Ordinal);
        Assert.Equal(404, (await cloud.Send("GET", $"{Hooks}/{id}", user: "demo")).Status);
        // A plain member of the administrator's project.
        var (project, user, role) = (await cloud.IdOf("projects", "admin"), await cloud.IdOf("users", "demo"), (await cloud.Send("GET", "/identity/v3/roles?name=member")).Body.GetProperty("roles")[0].GetProperty("id").GetString());
        await cloud.Send("PUT", $"/identity/v3/projects/{project}/users/{user}/roles/{role}");
        var token = (await cloud.Login("demo", new { project = new { id = project } })).Token();
        Assert.Equal(404, (await cloud.Raw("GET", $"{Hooks}/{id}", token, null)).Status);
        Assert.Equal(404, (await cloud.Raw("PUT", $"{Hooks}/{id}", token, "{\"webhook\":{\"url\":\"http://evil.example/\"}}")).Status);
        Assert.DoesNotContain(id, (await cloud.Raw("GET", Hooks, token, null)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"url":7}""")]
    [InlineData("""{"url":"http://x.example/","types":["a b"]}""")]
    [InlineData("""{"url":"http://x.example/","types":["a.*.b"]}""")]
    [InlineData("""{"url":"http://x.example/","kinds":["server"]}""")]
    [InlineData("""{"url":"http://x.example/","subjects":[""]}""")]
    [InlineData("""{"url":"http://x.example/","cursor":"99999999"}""")]
    [InlineData("""{"url":"http://x.example/","status":"disabled"}""")]
    [InlineData("""{"url":"http://x.example/","keys":[]}""")]
    [InlineData("""{"url":"http://x.example/","secret":"whsec_AAAA"}""")]
    public async Task A_bad_wish_is_refused(string wish)
    {
        await using var cloud = await TestCloud.Start(0);
        Assert.Equal(400, (await cloud.Send("POST", Hooks, "{\"webhook\":" + wish + "}", "demo")).Status);
    }

    [Fact]
    public async Task There_are_only_so_many()
    {
        await using var cloud = await TestCloud.Start(0);
        for (var i = 0; i < 20; i++) Assert.Equal(201, (await cloud.Send("POST", Hooks, new { webhook = new { url = "http://x.example/" } }, "demo")).Status);
        Assert.Equal(413, (await cloud.Send("POST", Hooks, new { webhook = new { url = "http://x.example/" } }, "demo")).Status);
        // Whom the limit binds can read it, and an operator can move it.
        async Task<string> Limits(string user, string query = "") => (await cloud.Send("GET", "/events/v1/quotas" + query, user: user)).Text;
        var (project, path) = (await cloud.IdOf("projects", "demo"), $"/events/v1/quotas/{await cloud.IdOf("projects", "demo")}");
        Assert.Equal("""{"quotas":{"webhooks":{"limit":20,"used":20}}}""", await Limits("demo"));
        Assert.Equal("""{"quotas":{"webhooks":{"limit":20,"used":20}}}""", await Limits("admin", "?project_id=" + project));
        Assert.Equal(403, (await cloud.Send("PUT", path, new { quotas = new { webhooks = 21 } }, "demo")).Status);
        foreach (var bad in new[] { "{}", """{"quotas":{"webhooks":-2}}""", """{"quotas":{"webhooks":1.5}}""", """{"quotas":{"hooks":1}}""", """{"quotas":[]}""" }) Assert.Equal(400, (await cloud.Send("PUT", path, bad)).Status);
        Assert.Equal("""{"quotas":{"webhooks":{"limit":21,"used":20}}}""", (await cloud.Send("PUT", path, new { quotas = new { webhooks = 21 } })).Text);
        Assert.Equal(201, (await cloud.Send("POST", Hooks, new { webhook = new { url = "http://x.example/" } }, "demo")).Status);
        Assert.Equal(413, (await cloud.Send("POST", Hooks, new { webhook = new { url = "http://x.example/" } }, "demo")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", path)).Status);
        Assert.Equal("""{"quotas":{"webhooks":{"limit":20,"used":21}}}""", await Limits("demo"));
        await cloud.AddUser("eve");
        Assert.Equal(403, (await cloud.Send("GET", "/events/v1/quotas?project_id=" + project, user: "eve")).Status);
    }
}
