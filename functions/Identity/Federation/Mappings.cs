using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#mappings</summary>
public static class Mappings
{
    public static readonly Rows<Mapping> Rows = new("mapping", "identity") { Global = true };

    private static readonly Kind<Mapping> Kind = new(Rows, "mappings", "/v3/OS-FEDERATION/mappings", IdentityDialect.Value)
    {
        Sees = "identity:get_mapping",
        Check = async (c, d) =>
        {
            MappingRule.Read(d.Item.Rules);
            if (d.Old is null) await ChosenIds.MustBeFree(c, Rows, d.Item.Id);
        },
        Extend = (w, c, m, _) => IdentityDialect.SelfLink(w, c, "OS-FEDERATION/mappings", m.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_mappings"), ChosenIds.Put(Kind, "identity:create_mapping"), Kind.Show("identity:get_mapping"), Kind.Update("identity:update_mapping"), Kind.Delete("identity:delete_mapping"),
    ];
}
