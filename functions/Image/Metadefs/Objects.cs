using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image.Metadefs;

/// <summary>https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-objects</summary>
public static class Objects
{
    private static readonly Parts<MetadefObject> Parts = new("objects", n => n.Objects, (n, all) => n with { Objects = all }) { Shown = Shown };

    public static readonly Route[] Routes =
    [
        Parts.List("image:get_metadef_objects", (n, all) => new() { ["objects"] = new JsonArray([.. all.Select(o => Shown(n, o))]), ["schema"] = "/v2/schemas/metadefs/objects" }),
        Parts.Add("image:add_metadef_object"), Parts.Show("image:get_metadef_object"), Parts.Replace("image:modify_metadef_object"), Parts.Remove("image:delete_metadef_object"), Parts.Clear("image:delete_metadef_namespace"),
    ];

    internal static JsonObject Shown(Namespace n, MetadefObject o)
    {
        var node = Parts<MetadefObject>.Node(o);
        node["self"] = $"{Namespaces.Path}/{n.Id}/objects/{o.Name}";
        node["schema"] = "/v2/schemas/metadefs/object";
        return node;
    }
}
