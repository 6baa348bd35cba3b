using Cloud.Platform;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Pages of other origins: none may use the APIs unless the operator says so, then those of every service.</summary>
public sealed class OriginsTests
{
    private const string Page = "https://dashboard.example", Allow = "Access-Control-Allow-Origin";

    private static async Task<TestCloud> Start(params string[] origins) => (await TestCloud.Start()).Copy(settings: new Settings { AllowedOrigins = origins });

    private static Task<Answer> Ask(TestCloud cloud, string path, string origin = Page, string method = "PUT") =>
        cloud.Raw("OPTIONS", path, null, null, ("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "x-auth-token,content-type"));

    [Theory, InlineData("/compute/v2.1/servers"), InlineData("/identity/v3/auth/tokens"), InlineData("/metric/v1/status"), InlineData("/object-store/v1/AUTH_x/box"), InlineData("/billing/v1/invoices")]
    public async Task A_page_that_may_is_told_so_before_it_asks(string path)
    {
        await using var cloud = await Start(Page);
        var told = await Ask(cloud, path);
        Assert.Equal((200, Page, "PUT", "x-auth-token,content-type"), (told.Status, told.Headers[Allow], told.Headers["Access-Control-Allow-Methods"], told.Headers["Access-Control-Allow-Headers"]));
        Assert.DoesNotContain("Access-Control-Allow-Credentials", told.Headers.Keys);
        Assert.DoesNotContain(Allow, (await Ask(cloud, path, "https://evil.example")).Headers.Keys);
        Assert.DoesNotContain(Allow, (await Ask(cloud, path, Page + ".evil.example")).Headers.Keys);
        Assert.DoesNotContain(Allow, (await Ask(cloud, path, method: "TRACE")).Headers.Keys);
    }

    [Fact]
    public async Task It_sees_answers_and_failures_alike_with_their_headers()
    {
        await using var cloud = await Start(Page);
        var list = await cloud.Send("GET", "/compute/v2.1/servers", headers: ("Origin", Page));
        Assert.Equal((200, Page), (list.Status, list.Headers[Allow]));
        Assert.Contains("X-Openstack-Request-Id", list.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
        var refused = await cloud.Raw("GET", "/compute/v2.1/servers", null, null, ("Origin", Page));
        Assert.Equal((401, Page), (refused.Status, refused.Headers[Allow]));
        Assert.DoesNotContain(Allow, (await cloud.Send("GET", "/compute/v2.1/servers", headers: ("Origin", "https://evil.example"))).Headers.Keys);
        Assert.DoesNotContain(Allow, (await cloud.Send("GET", "/compute/v2.1/servers")).Headers.Keys);
    }

    [Fact]
    public async Task Without_a_setting_no_page_may()
    {
        await using var cloud = await Start();
        Assert.DoesNotContain(Allow, (await Ask(cloud, "/compute/v2.1/servers")).Headers.Keys);
        Assert.DoesNotContain(Allow, (await cloud.Send("GET", "/compute/v2.1/servers", headers: ("Origin", Page))).Headers.Keys);
    }
}
