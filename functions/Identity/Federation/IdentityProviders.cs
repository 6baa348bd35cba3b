using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#identity-providers</summary>
public static class IdentityProviders
{
    public static readonly Rows<IdentityProvider> Rows = new("identity_provider", "identity") { Global = true };

    private static readonly Kind<IdentityProvider> Kind = new(Rows, "identity_providers", "/v3/OS-FEDERATION/identity_providers", IdentityDialect.Value)
    {
        Sees = "identity:get_identity_provider",
        Check = async (c, d) =>
        {
            var others = (await Rows.InProject(c.Store, "")).Where(p => p.Id != d.Item.Id).SelectMany(p => p.RemoteIds);
            if (others.Intersect(d.Item.RemoteIds).FirstOrDefault() is { } taken) throw Fault.Conflict($"Duplicate remote ID: {taken}");
            Directory.ForgetsTokens(c, d);
            if (d.Old is not null) return;
            await ChosenIds.MustBeFree(c, Rows, d.Item.Id);
            if (d.Item.DomainId is { } domain) await Directory.Need(c, Directory.Domains, domain);
            else d.Item = d.Item with { DomainId = await DomainFor(c, d.Item.Id) };
        },
        CheckDelete = async (c, d) =>
        {
            await Protocols.RemoveOf(c, d.Item.Id);
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, p, _) => w.Object("links", () =>
        {
            var self = $"{c.BaseUrl}/v3/OS-FEDERATION/identity_providers/{p.Id}";
            w.WriteString("self", self);
            w.WriteString("protocols", self + "/protocols");
        }),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_identity_providers"), ChosenIds.Put(Kind, "identity:create_identity_provider"), Kind.Show("identity:get_identity_provider"),
        Kind.Update("identity:update_identity_provider"), Kind.Delete("identity:delete_identity_provider"),
    ];

    // One that is told no domain gets its own.
    private static async ValueTask<string> DomainFor(Call c, string provider)
    {
        var body = JsonSerializer.SerializeToElement(new { name = c.Services.Ids.Plain(), description = $"The people of the identity provider {provider}" });
        return (await Domains.Kind.Create(c, c.Route.Policy, body, null)).Id;
    }
}
