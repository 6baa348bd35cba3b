using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Compute;

/// <summary>Lists of servers: filters, sorting, pages, and what each microversion shows.</summary>
public sealed class ServerListTests(ServerListTests.Three three) : IClassFixture<ServerListTests.Three>
{
    /// <summary>Ann's server s, and two more.</summary>
    public sealed class Three : IAsyncLifetime
    {
        public Scene Scene { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Scene.InitializeAsync();
            Scene.Cloud.Clock.Advance(TimeSpan.FromSeconds(5));
            await Scene.Make("ann", "web", "server", "/compute/v2.1/servers", """{"server":{"name":"web-1","flavorRef":"2","imageRef":"{admin.image}","networks":[{"uuid":"{net}","fixed_ip":"10.1.0.77"}],"key_name":"ann"}}""");
            Scene.Cloud.Clock.Advance(TimeSpan.FromSeconds(5));
            await Scene.Make("ann", "db", "server", "/compute/v2.1/servers", """{"server":{"name":"db","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}"}]}}""");
            await Scene.Do("ann", "POST", "/compute/v2.1/servers/{db}/action", """{"os-stop":null}""");
            await Scene.Do("ann", "PUT", "/compute/v2.1/servers/{web}/tags", """{"tags":["a","b"]}""", Version("2.93"));
            await Scene.Do("ann", "POST", "/compute/v2.1/servers/{web}/action", """{"lock":{"locked_reason":"mine"}}""", Version("2.93"));
        }

        public ValueTask DisposeAsync() => Scene.DisposeAsync();
    }

    private static (string, string) Version(string v) => ("OpenStack-API-Version", "compute " + v);

    private async Task<string> Names(string query, string version = "2.1")
    {
        var answer = await three.Scene.Send("GET", "/compute/v2.1/servers" + query, headers: Version(version));
        Assert.True(answer.Status == 200, answer.Text);
        return string.Join(' ', answer.Body.GetProperty("servers").EnumerateArray().Select(s => s.GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("", "db web-1 s")]
    [InlineData("?name=web", "web-1")]
    [InlineData("?name=^WEB-", "web-1")]
    [InlineData("?name=^eb", "")]
    [InlineData("?name=eb-1$", "web-1")]
    [InlineData("?name=we$", "")]
    [InlineData("?name=^db$", "db")]
    [InlineData("?name=^.b$", "db")]
    [InlineData("?name=(((", "")]
    [InlineData("?status=SHUTOFF", "db")]
    [InlineData("?status=active", "web-1 s")]
    [InlineData("?status=HAPPY", "")]
    [InlineData("?vm_state=stopped", "db")]
    [InlineData("?power_state=4", "db")]
    [InlineData("?flavor=2", "web-1")]
    [InlineData("?image={admin.image}", "db web-1 s")]
    [InlineData("?image={nothing}", "")]
    [InlineData("?key_name=ann", "web-1")]
    [InlineData("?ip=10.1.0.77", "web-1")]
    [InlineData("?ip=10.1", "db web-1 s")]
    [InlineData("?ip6=fd", "")]
    [InlineData("?changes-since=2030-01-01T00:00:04Z", "db web-1")]
    [InlineData("?changes-since=2040-01-01T00:00:00Z", "")]
    [InlineData("?surprise=1", "db web-1 s")]
    [InlineData("?limit=2", "db web-1")]
    [InlineData("?limit=0", "")]
    [InlineData("?marker={web}", "s")]
    [InlineData("?sort_key=display_name&sort_dir=asc", "db s web-1")]
    [InlineData("?sort_key=vm_state&sort_dir=desc&sort_key=display_name&sort_dir=asc", "db s web-1")]
    [InlineData("?sort_key=created_at&sort_dir=asc&limit=1", "s")]
    [InlineData("?tags=a", "db web-1 s")]
    [InlineData("?tags=a,b", "web-1", "2.26")]
    [InlineData("?tags=a,c", "", "2.26")]
    [InlineData("?tags-any=a,c", "web-1", "2.26")]
    [InlineData("?not-tags=a,b", "db s", "2.26")]
    [InlineData("?not-tags-any=b,c", "db s", "2.26")]
    [InlineData("?changes-before=2030-01-01T00:00:04Z", "s", "2.66")]
    [InlineData("?locked=true", "web-1", "2.73")]
    public async Task Filters_and_sorting(string query, string names, string version = "2.1") => Assert.Equal(names, await Names(query, version));

    [Fact]
    public async Task Links_lead_through_all_pages()
    {
        var (seen, target) = (new List<string>(), "/compute/v2.1/servers?limit=1");
        while (target is not null)
        {
            var page = (await three.Scene.Send("GET", target)).Body;
            seen.AddRange(page.GetProperty("servers").EnumerateArray().Select(s => s.GetProperty("name").GetString()!));
            target = page.TryGetProperty("servers_links", out var links) ? links[0].GetProperty("href").GetString()!.Replace("http://cloud", "", StringComparison.Ordinal) : null;
        }
        Assert.Equal(["db", "web-1", "s"], seen);
    }

    [Theory]
    [InlineData("2.1", "locked,description,tags,locked_reason,trusted_image_certificates,server_groups,OS-EXT-SRV-ATTR:hostname", false)]
    [InlineData("2.93", "locked,description,tags,locked_reason,trusted_image_certificates,server_groups,OS-EXT-SRV-ATTR:hostname", true)]
    [InlineData("2.93", "OS-EXT-SRV-ATTR:host,OS-EXT-SRV-ATTR:hypervisor_hostname,OS-EXT-SRV-ATTR:user_data,host_status", false)]
    [InlineData("2.93", "OS-EXT-SRV-ATTR:host,OS-EXT-SRV-ATTR:hypervisor_hostname,OS-EXT-SRV-ATTR:user_data,host_status", true, "admin")]
    public async Task Each_version_shows_its_own(string version, string members, bool there, string user = "ann")
    {
        var server = (await three.Scene.Send("GET", "/compute/v2.1/servers/{web}", user: user, headers: Version(version))).Body.GetProperty("server");
        Assert.All(members.Split(','), m => Assert.True(server.TryGetProperty(m, out _) == there, $"{m} in {version}"));
        Assert.Equal(version == "2.1", server.GetProperty("flavor").TryGetProperty("id", out _));
    }

    [Theory]
    [InlineData("/compute/v2/servers")]
    [InlineData("/compute/v2.1/{project}/servers")]
    public async Task Older_paths_lead_to_the_same(string target) => Assert.Equal((await three.Scene.Send("GET", "/compute/v2.1/servers")).Text, (await three.Scene.Send("GET", target)).Text);

    [Fact]
    public async Task The_answer_of_an_update_is_brief_before_2_75()
    {
        foreach (var (version, full) in new[] { ("2.74", false), ("2.75", true) })
        {
            var answer = await three.Scene.Send("PUT", "/compute/v2.1/servers/{db}", """{"server":{"accessIPv6":"::babe:220.12.22.2"}}""", headers: Version(version));
            Assert.Equal("::babe:dc0c:1602", answer.Body.GetProperty("server").GetProperty("accessIPv6").GetString());
            Assert.Equal(full, answer.Body.GetProperty("server").TryGetProperty("OS-EXT-STS:vm_state", out _));
        }
    }
}
