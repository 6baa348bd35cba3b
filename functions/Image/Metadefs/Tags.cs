using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Image.Metadefs;

/// <summary>https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-tags</summary>
public static class Tags
{
    private sealed record Many { [Required] public Tag[]? Tags { get; init; } }

    private static readonly Parts<Tag> Parts = new("tags", n => n.Tags, (n, all) => n with { Tags = all });

    public static readonly Route[] Routes =
    [
        Parts.List("image:get_metadef_tags", (_, all) => List(all)),
        new("POST", Parts.Path, "image:add_metadef_tags", AddMany),
        new("POST", Parts.Path + "/{name}", "image:add_metadef_tag", c => Parts.Add(c, MetadefBody.Checked(new Tag { Name = c.Args["name"] }))),
        Parts.Show("image:get_metadef_tag"), Parts.Replace("image:modify_metadef_tag"), Parts.Remove("image:delete_metadef_tag"), Parts.Clear("image:delete_metadef_tags"),
    ];

    /// <summary>As lists show it.</summary>
    internal static JsonObject Named(Tag tag) => new() { ["name"] = tag.Name };

    private static JsonObject List(IEnumerable<Tag> tags) => new() { ["tags"] = new JsonArray([.. tags.Select(Named)]) };

    // They take the place of those that were there, unless the client says otherwise.
    private static async ValueTask<Reply> AddMany(Call c)
    {
        var tags = MetadefBody.Read<Many>(c).Tags!;
        foreach (var tag in tags) MetadefBody.Checked(tag);
        var append = Lenient.Boolean(c.Header("X-Openstack-Append") ?? "") == true;
        await Parts<Tag>.Change(c, n =>
        {
            var all = append ? n.Tags.Concat(tags).ToArray() : tags;
            if (all.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice) throw Parts<Tag>.Taken(twice.Key);
            return n with { Tags = [.. all.Select(t => t.CreatedAt is null ? Parts<Tag>.Dated(c, t, null) : t)] };
        });
        return Reply.Of(201, List(tags));
    }
}
