using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>What the catalog is made of: https://docs.openstack.org/api-ref/identity/v3/#service-catalog-and-endpoints</summary>
public static class Endpoints
{
    public static readonly Rows<Service> Services = new("service", "identity") { Global = true };
    public static readonly Rows<Endpoint> Rows = new("endpoint", "identity") { Global = true };

    private static readonly Kind<Service> ServiceKind = new(Services, "services", "/v3/services", IdentityDialect.Value)
    {
        Sees = "identity:get_service",
        Check = (c, d) =>
        {
            Directory.ForgetsTokens(c, d);
            return ValueTask.CompletedTask;
        },
        CheckDelete = async (c, d) =>
        {
            Directory.ForgetsTokens(c, d);
            await EndpointPolicies.Forget(c, b => b.Service == d.Item.Id);
            foreach (var e in await Rows.InProject(c.Store, "")) if (e.ServiceId == d.Item.Id) await Kind!.Delete(c, "identity:delete_endpoint", null, e.Id);
        },
        Extend = (w, c, s, _) => IdentityDialect.SelfLink(w, c, "services", s.Id),
    };

    public static readonly Kind<Endpoint> Kind = new(Rows, "endpoints", "/v3/endpoints", IdentityDialect.Value)
    {
        Sees = "identity:get_endpoint", KnownToAll = true,
        Check = async (c, d) =>
        {
            Directory.ForgetsTokens(c, d);
            if (!Catalog.IsTemplate(d.Item.Url)) throw Fault.BadRequest("Invalid input for field 'url': it must be a web address, in which only %(project_id)s, %(user_id)s and the like are filled in.");
            if (await Directory.Get(c, Services, d.Item.ServiceId) is null) throw Fault.BadRequest($"Could not find service: {d.Item.ServiceId}.");
            if (d.Item.RegionId is not { } region || await Directory.Get(c, Regions.Rows, region) is not null) return;
            if (d.Body.TryGetProperty("region_id", out _)) throw Fault.BadRequest($"Could not find region: {region}.");
            await Regions.Rows.Save(c.Services, new Region { Id = region, CreatedAt = c.Now }, null, Change.By(c)); // the older name makes what it names
        },
        CheckDelete = (c, d) =>
        {
            Directory.ForgetsTokens(c, d);
            return EndpointPolicies.Forget(c, b => b.Endpoint == d.Item.Id);
        },
        Extend = (w, c, e, _) => IdentityDialect.SelfLink(w, c, "endpoints", e.Id),
    };

    public static readonly Route[] Routes =
    [
        ServiceKind.List("identity:list_services"), ServiceKind.Create("identity:create_service"), ServiceKind.Show("identity:get_service"),
        ServiceKind.Update("identity:update_service"), ServiceKind.Delete("identity:delete_service"),
        new("GET", "/v3/endpoints", "identity:list_endpoints", async c => Kind.PageFrom(c, await All(c))),
        Kind.Create("identity:create_endpoint"),
        .. Kind.SeenFirst([Kind.Show("identity:get_endpoint") with { Run = async c => Kind.One1(c, 200, Shown(c, (await Kind.Load(c, c.Route.Policy)).Item)) }, Kind.Update("identity:update_endpoint"), Kind.Delete("identity:delete_endpoint")]),
    ];

    /// <summary>All endpoints, with addresses as the caller sees them.</summary>
    public static async ValueTask<IReadOnlyList<Endpoint>> All(Call c) => [.. (await Rows.InProject(c.Store, "", c.Cancelled)).Select(e => Shown(c, e))];

    private static Endpoint Shown(Call c, Endpoint e) => e with { Url = e.Url.Replace(Catalog.Root, Catalog.RootOf(c), StringComparison.Ordinal) };
}
