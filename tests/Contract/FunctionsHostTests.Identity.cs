using System.Net;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

public sealed partial class FunctionsHostTests
{
    private const string Library = "Microsoft.Identity.Client.dll";

    /// <summary>Tables and blobs named by addresses alone, in an Azurite that takes nothing but tokens there; the tokens come from the platform's endpoint by Microsoft's own library.</summary>
    [Fact]
    public async Task With_a_managed_identity_it_needs_no_key()
    {
        using var certificate = new OwnCertificate();
        await using var tables = await Azurite.Start("table", certificate);
        await using var blobs = await Azurite.Start("blob", certificate);
        Assert.SkipWhen(tables is null || blobs is null, Azurite.Missing);
        using var identity = new IdentityEndpoint();
        var environment = new Dictionary<string, string>(identity.Environment) { ["SSL_CERT_FILE"] = certificate.Certificate, [CustomHandler.Blobs] = blobs!.Endpoint };

        await using (var host = await FunctionsHost.Start(_functions, _data, tables!.Endpoint, besides: environment))
        {
            await SignIn(host);
            var image = await Upload(host);
            using var bytes = await host.Send(HttpMethod.Get, $"/image/v2/images/{image}/file", null, ("X-Auth-Token", _token));
            Assert.Equal(Bytes, await bytes.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
            var box = $"/object-store/v1/AUTH_{await ProjectId(host)}/box";
            using var container = await host.Send(HttpMethod.Put, box, null, ("X-Auth-Token", _token));
            using var content = new ByteArrayContent(Bytes);
            using var put = await host.Send(HttpMethod.Put, box + "/thing", content, ("X-Auth-Token", _token));
            Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (container.StatusCode, put.StatusCode));
            Assert.True(host.Loaded(Library));
            Assert.Equal((0, ""), await host.Stop());
        }
        Assert.NotEmpty(identity.Asked);
        Assert.All(identity.Asked, asked => Assert.Equal("https://storage.azure.com as " + IdentityEndpoint.Client, asked));
        Assert.InRange(identity.Asked.Count, 1, 4); // they are kept, not asked for with every request
        Assert.False(Directory.Exists(Path.Combine(_data, "state", "blobs")));

        // Who isn't known there keeps nothing there.
        environment["IDENTITY_HEADER"] = "a guess";
        await Assert.ThrowsAnyAsync<Exception>(() => FunctionsHost.Start(_functions, _data, tables.Endpoint, besides: environment));
    }

    [Fact]
    public async Task Without_an_address_nothing_of_identities_is_loaded()
    {
        await using var azurite = await Azurite.Start("table");
        Assert.SkipWhen(azurite is null, Azurite.Missing);
        await using var host = await FunctionsHost.Start(_functions, _data, azurite!.Connection);
        await SignIn(host);
        Assert.True(host.Loaded("Azure.Data.Tables.dll"));
        Assert.False(host.Loaded(Library));
    }

    private async Task<string> ProjectId(FunctionsHost host) => (await Get(host, "/identity/v3/auth/projects")).GetProperty("projects")[0].GetProperty("id").GetString()!;
}
