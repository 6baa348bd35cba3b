using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#regions; clients choose the ids.</summary>
public static class Regions
{
    public static readonly Rows<Region> Rows = new("region", "identity") { Global = true };

    private static readonly Kind<Region> Kind = new(Rows, "regions", "/v3/regions", IdentityDialect.Value)
    {
        Sees = "authenticated",
        Check = async (c, d) =>
        {
            if (d.Item.Id.Length == 0) d.Item = d.Item with { Id = c.Services.Ids.Plain() };
            if (d.Old is null) await ChosenIds.MustBeFree(c, Rows, d.Item.Id);
            var seen = 0;
            for (var at = d.Item.ParentRegionId; at is not null; at = (await Directory.Need(c, Rows, at)).ParentRegionId)
                if (at == d.Item.Id || ++seen > 16) throw Fault.BadRequest("Invalid input for field 'parent_region_id': a region can't be its own ancestor.");
        },
        CheckDelete = async (c, d) =>
        {
            if ((await Rows.InProject(c.Store, "")).Any(r => r.ParentRegionId == d.Item.Id) || (await Endpoints.Rows.InProject(c.Store, "")).Any(e => e.RegionId == d.Item.Id))
                throw new Fault(403, $"Unable to delete region {d.Item.Id} because it or its child regions have associated endpoints.");
            await EndpointPolicies.Forget(c, b => b.Region == d.Item.Id);
        },
        Extend = (w, c, r, _) => IdentityDialect.SelfLink(w, c, "regions", r.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_regions"), Kind.Create("identity:create_region"), Kind.Show("identity:get_region"), Kind.Update("identity:update_region"), Kind.Delete("identity:delete_region"),
        ChosenIds.Put(Kind, "identity:create_region"),
    ];
}
