using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Image.Metadefs;

/// <summary>https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-properties</summary>
public static class Properties
{
    private static readonly Parts<Property> Parts = new("properties", n => n.Properties, (n, all) => n with { Properties = all });

    public static readonly Route[] Routes =
    [
        Parts.List("image:get_metadef_properties", (_, all) => new() { ["properties"] = JsonSerializer.SerializeToNode(Property.ByName(all), MetadefBody.Json) }),
        Parts.Add("image:add_metadef_property"),
        Parts.Show("image:get_metadef_property") with { Run = Show },
        Parts.Replace("image:modify_metadef_property"), Parts.Remove("image:remove_metadef_property"), Parts.Clear("image:delete_metadef_namespace"),
    ];

    // Asked for as it is called on a kind of resource, a property has that kind's prefix.
    private static async ValueTask<Reply> Show(Call c)
    {
        var (space, name) = (await Namespaces.Seen(c), c.Args["name"]);
        if (c.First("resource_type") is { Length: > 0 } type)
        {
            var prefix = Array.Find(space.ResourceTypeAssociations, a => a.Name == type)?.Prefix;
            if (prefix is null || !name.StartsWith(prefix, StringComparison.Ordinal)) throw new Fault(404, $"Property {name} does not begin with the prefix that {type} has in this namespace.");
            name = name[prefix.Length..];
        }
        return Reply.Of(200, Parts.Shown(space, Parts.Named(space, name)));
    }
}
