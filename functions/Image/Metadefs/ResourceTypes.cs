using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image.Metadefs;

/// <summary>https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-resource-types</summary>
public static class ResourceTypes
{
    private static readonly string[] Known = ["OS::Cinder::Volume", "OS::Glance::Image", "OS::Nova::Aggregate", "OS::Nova::Flavor", "OS::Nova::Server", "OS::Trove::Instance"];

    private static readonly Parts<Association> Parts = new("resource_types", n => n.ResourceTypeAssociations, (n, all) => n with { ResourceTypeAssociations = all });

    public static readonly Route[] Routes =
    [
        new("GET", "/v2/metadefs/resource_types", "image:list_metadef_resource_types", All),
        Parts.List("image:get_metadef_resource_type", (_, all) => new() { ["resource_type_associations"] = new JsonArray([.. all.Select(Parts<Association>.Node)]) }),
        Parts.Add("image:add_metadef_resource_type_association"), Parts.Remove("image:remove_metadef_resource_type_association"),
    ];

    /// <summary>Those that OpenStack knows, and others that namespaces name which the caller sees.</summary>
    private static async ValueTask<Reply> All(Call c)
    {
        var seen = (await Namespaces.Rows.InProject(c.Store, "", c.Cancelled)).Where(n => c.Services.Settings.TellsWhatExists || Namespaces.Rows.Shared(n) || c.Allows(Namespaces.Kind.Sees, new(n.Owner)));
        var names = seen.SelectMany(n => n.ResourceTypeAssociations).Select(a => a.Name).Concat(Known).Distinct().Order(StringComparer.Ordinal);
        return Reply.Of(200, new JsonObject { ["resource_types"] = new JsonArray([.. names.Select(name => new JsonObject { ["name"] = name })]) });
    }
}
