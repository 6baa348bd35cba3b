using System.ComponentModel.DataAnnotations;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#add-protocol-to-identity-provider</summary>
public static class Protocols
{
    public static readonly Rows<FederationProtocol> Rows = new("protocol", "identity") { Global = true };

    private static readonly Kind<FederationProtocol> Kind = new(Rows, "protocols", "/v3/OS-FEDERATION/identity_providers/{provider}/protocols", IdentityDialect.Value)
    {
        Sees = "identity:get_protocol",
        Check = async (c, d) =>
        {
            if (await Directory.Get(c, Mappings.Rows, d.Item.MappingId) is null) throw Fault.BadRequest($"Invalid input for field 'mapping_id': there is no mapping {d.Item.MappingId}.");
            Directory.ForgetsTokens(c, d);
        },
        CheckDelete = async (c, d) =>
        {
            await FederatedUsers.Unlink(c, d.Item.Provider, d.Item.Name);
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, p, _) => w.Object("links", () =>
        {
            var provider = $"{c.BaseUrl}/v3/OS-FEDERATION/identity_providers/{p.Provider}";
            w.WriteString("self", $"{provider}/protocols/{p.Name}");
            w.WriteString("identity_provider", provider);
        }),
    };

    public static readonly Route[] Routes =
    [
        new("GET", Kind.Path, "identity:list_protocols", async c =>
        {
            var provider = await Directory.Need(c, IdentityProviders.Rows, c.Args["provider"]);
            return Kind.PageFrom(c, (await Rows.InProject(c.Store, "")).Where(p => p.Provider == provider.Id));
        }),
        new("PUT", Kind.Path + "/{id}", "identity:create_protocol", Create),
        Within(Kind.Show("identity:get_protocol")), Within(Kind.Update("identity:update_protocol")), Within(Kind.Delete("identity:delete_protocol")),
    ];

    /// <summary>What names a protocol in the whole cloud: its own name is unique only with its provider.</summary>
    public static string KeyOf(string provider, string name) => $"{provider}/{name}";

    /// <summary>Those of a provider that ends.</summary>
    public static async ValueTask RemoveOf(Call c, string provider)
    {
        foreach (var p in (await Rows.InProject(c.Store, "")).Where(p => p.Provider == provider)) await Kind.Delete(c, c.Route.Policy, null, p.Id);
    }

    private static Route Within(Route route) => route with
    {
        Run = c =>
        {
            c.Args["id"] = KeyOf(c.Args["provider"], c.Args["id"]);
            return route.Run(c);
        },
    };

    private static async ValueTask<Reply> Create(Call c)
    {
        var provider = await Directory.Need(c, IdentityProviders.Rows, c.Args["provider"]);
        var (name, key) = (c.Args["id"], KeyOf(provider.Id, c.Args["id"]));
        if (!new FederationIdAttribute().IsValid(name)) throw Fault.BadRequest("Invalid input for field 'id'.");
        await ChosenIds.MustBeFree(c, Rows, key, name);
        return Kind.One1(c, 201, await Kind.Create(c, c.Route.Policy, c.Body(Kind.One), null, d =>
        {
            d.Item = d.Item with { Id = key, Name = name, Provider = provider.Id };
            return ValueTask.CompletedTask;
        }));
    }
}
