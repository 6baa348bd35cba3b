using System.Net;
using System.Text.Json;
using Cloud.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>Debian's unmodified openstack command logs in at an OpenID provider and with its token here.</summary>
public sealed class FederationTests : IAsyncLifetime
{
    private readonly OpenIdProvider _provider = new("http://" + CloudCommand.FreeAddress());
    private readonly string _settings = Path.GetTempFileName();
    private WebApplication? _server;
    private CloudStand? _cloud;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_settings, JsonSerializer.Serialize(new { outbound_opened = new[] { "127.0.0.0/8" }, openid = new Dictionary<string, object> { [_provider.Issuer] = new { audience = new[] { "cloud" } } } }));
        Assert.SkipUnless(File.Exists("/usr/bin/openstack"), "needs Debian's python3-openstackclient");
        _cloud = await CloudStand.Start(options: ["--settings", _settings]);
        _server = await Serve(_provider);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cloud is not null) await _cloud.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        _provider.Dispose();
        File.Delete(_settings);
    }

    [Fact]
    public async Task An_openid_login_reaches_a_project()
    {
        await Administer("identity provider create corp --remote-id " + _provider.Issuer);
        var rules = Path.Combine(_cloud!.Data, "rules.json");
        await File.WriteAllTextAsync(rules, """[{"local":[{"user":{"name":"{0}"}},{"groups":"{1}","domain":{"id":"default"}}],"remote":[{"type":"OIDC-sub"},{"type":"HTTP_OIDC_GROUPS"}]}]""", TestContext.Current.CancellationToken);
        await Administer($"mapping create --rules {rules} corp-map");
        await Administer("federation protocol create openid --identity-provider corp --mapping corp-map");
        await Administer("group create dev");
        await Administer("role add --group dev --project demo member");

        const string at = "--os-identity-provider corp --os-protocol openid --os-project-name demo --os-project-domain-name Default";
        var discovery = _provider.Issuer + "/.well-known/openid-configuration";
        var issued = await Run($"--os-auth-type v3oidcclientcredentials {at} --os-client-id robot --os-client-secret secret --os-discovery-endpoint {discovery} token issue -f json");
        Assert.True(issued.Exit == 0, issued.Error);
        var catalog = await Run($"--os-auth-type v3oidcpassword {at} --os-client-id cli --os-client-secret secret --os-username ann --os-password pw --os-discovery-endpoint {discovery} catalog list -f json");
        Assert.True(catalog.Exit == 0, catalog.Error);
        Assert.Contains("compute", catalog.Text, StringComparison.Ordinal);
        var held = await Run($"--os-auth-type v3oidcaccesstoken {at} --os-access-token {_provider.Token(TimeProvider.System.GetUtcNow(), "bob", ("groups", new[] { "dev" }))} token issue -f json");
        Assert.True(held.Exit == 0, held.Error);
        Assert.Equal(JsonDocument.Parse(issued.Text).RootElement.GetProperty("project_id").GetString(), JsonDocument.Parse(held.Text).RootElement.GetProperty("project_id").GetString());
        var stranger = await Run($"--os-auth-type v3oidcaccesstoken {at} --os-access-token {_provider.Token(TimeProvider.System.GetUtcNow(), "eve", ("groups", new[] { "dev" }), ("aud", "elsewhere"))} token issue");
        Assert.Contains("401", stranger.Error, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> Serve(OpenIdProvider provider)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(provider.Issuer);
        var server = builder.Build();
        server.Run(async http =>
        {
            if (provider.Get(http.Request.Path) is { } body) await http.Response.WriteAsync(body);
            else if (http.Request.Path == "/token" && http.Request.HasFormContentType)
            {
                var user = (await http.Request.ReadFormAsync())["username"].FirstOrDefault() ?? "robot";
                await http.Response.WriteAsJsonAsync(new { token_type = "Bearer", access_token = provider.Token(TimeProvider.System.GetUtcNow(), user, ("groups", new[] { "dev" })) });
            }
            else http.Response.StatusCode = (int)HttpStatusCode.NotFound;
        });
        await server.StartAsync();
        return server;
    }

    private Task Administer(string command) => _cloud!.Do("/usr/bin/openstack", command);

    private Task<Ended> Run(string command) => _cloud!.Run("/usr/bin/openstack", command.Split(' '), login: false);
}
