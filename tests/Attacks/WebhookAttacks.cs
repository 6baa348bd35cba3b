using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What tenants can try with the addresses of webhooks, and receivers with their answers (attacks 1 to 7, by this way in).</summary>
public sealed class WebhookAttacks
{
    private const string Hooks = "/events/v1/webhooks";

    private static Task<Answer> Make(TestCloud cloud, string url) => cloud.Send("POST", Hooks, new { webhook = new { url } }, "demo");

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://0.0.0.0/")]
    [InlineData("http://10.1.2.3/")]
    [InlineData("http://[fd00::1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://hook.example/")]
    [InlineData("http://user:secret@hook.example/")]
    [InlineData("http://hook.example:22/")]
    [InlineData("swift+config://ref/container/object")]
    public async Task What_can_never_be_allowed_is_refused_at_once_and_in_updates_too(string url)
    {
        await using var cloud = await TestCloud.Start(0);
        Assert.Equal(400, (await Make(cloud, url)).Status);
        var id = (await Make(cloud, "http://hook.example/")).Id("webhook");
        Assert.Equal(400, (await cloud.Send("PUT", $"{Hooks}/{id}", new { webhook = new { url } }, "demo")).Status);
        Assert.Empty(cloud.Internet.Connected);
    }

    [Fact]
    public async Task A_name_that_becomes_internal_is_not_connected_to()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        cloud.Internet.Name("hook.example", "8.8.8.8", "10.0.0.5");
        cloud.Internet.Server("10.0.0.5:80", FakeInternet.Ok("inside"));
        await receiver.Hook(new { kinds = new[] { "test.thing" } });
        await receiver.Emit("e1 a");
        await receiver.Emit("e2 b");
        await cloud.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(["e1"], receiver.Ids);
        Assert.All(cloud.Internet.Connected, c => Assert.Equal("8.8.8.8:80", c.ToString()));
    }

    [Theory]
    [InlineData("http://169.254.169.254/")]
    [InlineData("http://10.0.0.5/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://elsewhere.example/")]
    public async Task A_redirect_leads_nowhere(string to)
    {
        await using var cloud = await TestCloud.Start(0);
        cloud.Internet.Name("hook.example", "8.8.8.8");
        cloud.Internet.Name("elsewhere.example", "9.9.9.9");
        foreach (var status in new[] { 301, 302, 307, 308 })
        {
            cloud.Internet.Server("8.8.8.8:80", FakeInternet.Redirect(to, status));
            var id = (await Make(cloud, "http://hook.example/")).Id("webhook");
            Assert.Equal($"It answered {status}; redirects are not followed.", (await cloud.Send("POST", $"{Hooks}/{id}/test", user: "demo")).Body.GetProperty("error").GetString());
        }
        Assert.All(cloud.Internet.Connected, c => Assert.Equal("8.8.8.8:80", c.ToString()));
    }

    [Fact]
    public async Task Closed_unknown_internal_mute_and_wrong_look_the_same()
    {
        await using var cloud = await TestCloud.Start(0);
        cloud.Internet.Name("closed.example", "9.9.9.9");
        cloud.Internet.Name("inside.example", "192.168.0.1");
        cloud.Internet.Name("ssh.example", "9.9.9.10");
        cloud.Internet.Server("9.9.9.10:80", "SSH-2.0-OpenSSH_9.2\r\n");
        cloud.Internet.Name("mute.example", "9.9.9.12");
        cloud.Internet.Server("9.9.9.12:80", _ => [[]]);
        var said = new HashSet<string>();
        foreach (var name in new[] { "closed", "unknown", "inside", "ssh", "mute" })
        {
            var id = (await Make(cloud, $"http://{name}.example/")).Id("webhook");
            var test = cloud.Send("POST", $"{Hooks}/{id}/test", user: "demo");
            if (name == "mute")
            {
                await cloud.Internet.Silent;
                cloud.Clock.Advance(TimeSpan.FromSeconds(11));
            }
            var body = (await test).Body;
            said.Add($"{body.GetProperty("delivered")} {body.GetProperty("status")} {body.GetProperty("error")}");
        }
        Assert.Equal(["False 0 The URL could not be fetched."], said);
        Assert.DoesNotContain(cloud.Internet.Connected, c => c.Address.ToString() == "192.168.0.1");
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_and_counts_by_its_status()
    {
        await using var cloud = await TestCloud.Start(0);
        cloud.Internet.Name("hook.example", "8.8.8.8");
        var id = (await Make(cloud, "http://hook.example/")).Id("webhook");
        foreach (var headers in new[] { "Content-Length: 10995116277760\r\n", "Connection: close\r\n" })
        {
            cloud.Internet.Server("8.8.8.8:80", _ => cloud.Internet.Slowly(headers, TimeSpan.Zero, 4096, int.MaxValue));
            Assert.True((await cloud.Send("POST", $"{Hooks}/{id}/test", user: "demo")).Body.GetProperty("delivered").GetBoolean());
        }
    }

    [Fact]
    public async Task No_credential_leaves_with_an_event()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        await receiver.Hook();
        await receiver.Emit("e1 a");
        Assert.Equal(["Content-Length", "Content-Type", "Host", "User-Agent", "webhook-id", "webhook-key-id", "webhook-signature", "webhook-timestamp"], receiver.All[^1].Headers.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Anothers_webhook_is_not_there()
    {
        await using var cloud = await TestCloud.Start(0);
        await cloud.AddUser("eve");
        var receiver = await WebhookReceiver.Start(cloud);
        var made = await receiver.Hook();
        var (id, key) = (made.GetProperty("webhook").GetProperty("id").GetString(), made.GetProperty("webhook").GetProperty("keys")[0].GetProperty("id").GetString());
        await receiver.Emit("e1 a");
        foreach (var (method, path) in new[] { ("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/test"), ("POST", "/rotate"), ("DELETE", "/keys/" + key), ("GET", "/status"), ("GET", "/deliveries"), ("GET", "/deliveries/1"), ("POST", "/redeliver") })
        {
            var (theirs, none) = (await cloud.Send(method, $"{Hooks}/{id}{path}", method is "PUT" ? new { webhook = new { name = "x" } } : null, "eve"), await cloud.Send(method, $"{Hooks}/0{id![1..]}{path}", method is "PUT" ? new { webhook = new { name = "x" } } : null, "eve"));
            Assert.Equal((404, 404), (theirs.Status, none.Status));
        }
        Assert.Empty((await cloud.Send("GET", Hooks, user: "eve")).Body.GetProperty("webhooks").EnumerateArray());
        // Nor does a webhook of hers hear of others.
        var hers = await WebhookReceiver.Start(cloud, "eve.example", "9.9.9.9", "eve");
        await hers.Hook(new { cursor = "0" }, "eve");
        await receiver.Emit("e2 a");
        Assert.DoesNotContain(hers.Ids, i => i is "e1" or "e2");
    }

    [Fact]
    public async Task A_reader_may_look_and_change_nothing()
    {
        await using var cloud = await TestCloud.Start(0);
        await cloud.AddUser("rae", "reader");
        Assert.Equal(200, (await cloud.Send("GET", Hooks, user: "rae")).Status);
        Assert.Equal(403, (await cloud.Send("POST", Hooks, new { webhook = new { url = "http://hook.example/" } }, "rae")).Status);
    }
}
