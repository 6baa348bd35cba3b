using System.Text;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Bodies and crowds made to exhaust whoever reads them, at every door there is.</summary>
public sealed class BodyAttacks
{
    private const int Million = 1_000_000;

    public static TheoryData<string> Services => [.. Slices.All.Where(s => s.Routes.Any(TakesJson)).Select(s => s.Prefix)];

    private static bool TakesJson(Route r) => r.Method is "POST" or "PUT" && !r.Streams && r.NotOffered is null && r.Policy != Policy.Anyone && !r.Path.Contains("influxdb", StringComparison.Ordinal) && !r.Path.Contains("prometheus", StringComparison.Ordinal);

    public static TheoryData<string> All => [.. Slices.All.Select(s => s.Prefix)];

    /// <summary>Those that fit below the limit of a body, and those that don't.</summary>
    private static IEnumerable<(string Name, string Text, int Status)> Bombs()
    {
        yield return ("deep", new string('[', Million), 413);
        yield return ("deep objects", string.Concat(Enumerable.Repeat("{\"a\":", Million / 5)), 413);
        yield return ("many keys", $"{{{string.Join(',', Enumerable.Range(0, Million).Select(i => $"\"k{i}\":1"))}}}", 413);
        yield return ("as deep as fits", new string('[', 50_000) + new string(']', 50_000), 400);
        yield return ("objects as deep as fits", string.Concat(Enumerable.Repeat("{\"a\":", 15_000)) + "1" + new string('}', 15_000), 400);
        yield return ("doubled", "{\"a\":1,\"a\":2}", 400);
        yield return ("doubled within", "{\"user\":{\"name\":\"x\",\"name\":\"y\"}}", 400);
        yield return ("doubled in disguise", "{\"name\":1,\"n\\u0061me\":2}", 400);
        yield return ("half a character", "{\"name\":\"\\ud800\"}", 400);
    }

    [Theory, MemberData(nameof(Services))]
    public async Task What_is_deep_wide_or_doubled_is_refused_at_little_cost(string prefix)
    {
        await using var cloud = await TestCloud.Start();
        var project = await cloud.IdOf("projects", "admin");
        var route = Slices.All.Single(s => s.Prefix == prefix).Routes.First(TakesJson);
        var path = $"/{prefix}" + string.Join('/', route.Path.Split('/').Select(p => p is "{project_id}" ? project : p.StartsWith('{') ? "x" : p));
        var rows = cloud.Store.All.Count;
        foreach (var (name, text, status) in Bombs())
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var body = new MemoryStream(Encoding.UTF8.GetBytes(text));
            var answer = await cloud.Stream(route.Method, path, await cloud.Token(), body);
            Assert.Equal((prefix, name, status), (prefix, name, answer.Status));
            // No more is read than fits.
            Assert.InRange(body.Position, 0, Router.MaxBody + 8192);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20, $"{name}: {GC.GetAllocatedBytesForCurrentThread() - before} bytes");
        }
        Assert.Equal(rows, cloud.Store.All.Count);
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task Keys_that_were_chosen_to_collide_and_a_thousand_fields_cost_no_more_than_others()
    {
        await using var cloud = await TestCloud.Start();
        // As wide as a body may be, each field one that nobody knows: the first is named, the others aren't looked at one by one.
        var body = $"{{\"server\":{{{string.Join(',', Enumerable.Range(0, 9_000).Select(i => $"\"k{i}\":1"))}}}}}";
        Assert.InRange(body.Length, 50_000, Router.MaxBody);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(400, (await cloud.Send("POST", "/compute/v2.1/servers", body)).Status);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 8 << 20);
    }

    [Theory, MemberData(nameof(All))]
    public async Task Nothing_that_a_stranger_sends_leaves_a_row_a_message_or_a_byte(string prefix)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Drain();
        string[] Rows() => [.. cloud.Store.All.Select(r => $"{r.Partition} {r.Key} {r.ETag}")];
        var (before, waiting) = (Rows(), cloud.Bus.All.Count);
        foreach (var route in Slices.All.Single(s => s.Prefix == prefix).Routes)
            for (var n = 0; n < 3; n++)
            {
                var path = $"/{prefix}" + string.Join('/', route.Path.Split('/').Select(p => p.StartsWith('{') ? $"stranger-{n}" : p));
                var token = n switch { 0 => null, 1 => "gAAAA" + new string('x', 180), _ => new string('y', 9_000) };
                var body = route.Method is "GET" or "HEAD" or "DELETE" ? null : $$"""{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"stranger-{{n}}","domain":{"id":"stranger-{{n}}"},"password":"x"} } } } }""";
                // One password each is enough: to hash it is meant to be slow.
                if (n > 0 && route.Path.EndsWith("/auth/tokens", StringComparison.Ordinal) && route.Method == "POST") continue;
                var answer = await cloud.Raw(route.Method, path, token, body, ("Content-Type", "application/json"), ("Authorization", "OAuth oauth_consumer_key=\"stranger\""));
                if (route.Policy != Policy.Anyone) Assert.Equal((route.Method, path, prefix == "s3" ? 403 : 401), (route.Method, path, answer.Status));
                Assert.True(answer.Status is < 500 or 501, $"{route.Method} {path}: {answer.Status} {answer.Text}");
            }
        Assert.Equal(before, Rows());
        Assert.Equal(waiting, cloud.Bus.All.Count);
        Assert.All(cloud.Replicas, r => Assert.Empty(r.Blobs));
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
    }

    [Theory]
    [InlineData("POST", "/compute/v2.1/servers/{server}/remote-consoles", """{"remote_console":{"protocol":"vnc","type":"novnc"}}""")]
    [InlineData("POST", "/compute/v2.1/servers/{server}/action", """{"os-getVNCConsole":{"type":"novnc"}}""")]
    [InlineData("POST", "/compute/v2.1/servers/{server}/action", """{"os-getSPICEConsole":{"type":"spice-html5"}}""")]
    [InlineData("POST", "/compute/v2.1/servers/{server}/action", """{"os-getSerialConsole":{"type":"serial"}}""")]
    [InlineData("GET", "/compute/v2.1/os-console-auth-tokens/x", null)]
    public async Task There_is_no_console_whose_address_could_be_stolen(string method, string path, string? body)
    {
        await using var cloud = await TestCloud.Start();
        var answer = await cloud.Send(method, path.Replace("{server}", Guid.Empty.ToString(), StringComparison.Ordinal), body, "admin", ("OpenStack-API-Version", $"compute {(path.EndsWith("action", StringComparison.Ordinal) ? "2.1" : "2.93")}"));
        Assert.True(answer.Status is 501 or 400 or 404, answer.Text);
        Assert.DoesNotContain("url", answer.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("token", answer.Text, StringComparison.OrdinalIgnoreCase);
    }
}
