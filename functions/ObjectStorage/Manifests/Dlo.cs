using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Manifests;

/// <summary>Dynamic large objects: X-Object-Manifest names a container and a prefix; all that is listed there, in order, is the content.</summary>
internal static class Dlo
{
    public const string Header = "X-Object-Manifest";

    public static async ValueTask<(Content Content, string ETag)> Open(Call c, string account, string manifest)
    {
        var place = Of(account, manifest);
        var (_, container) = await Containers.Open(c, place with { Object = "" }, Access.Reads);
        var query = new ListQuery { Prefix = place.Object };
        var segments = await Listing.Walk<StoredObject>(c.Store, Shelf.Of(container.Item.ProjectId), Shelf.ObjectRange(container.Item.Id), query, c.Cancelled);
        return (Content.Of([.. segments.Select(s => Content.Of(c.Services, s.Item!))]), $"\"{ETags.OfAll(segments.Select(s => s.Item!.ETag))}\"");
    }

    /// <exception cref="Fault">400 for what is no CONTAINER/PREFIX.</exception>
    public static void Check(string manifest) => Of("", manifest);

    private static Place Of(string account, string manifest) =>
        Place.Decode(manifest).TrimStart('/').Split('/', 2) is [{ Length: > 0 } container, { Length: > 0 } prefix] && !manifest.Contains('?', StringComparison.Ordinal)
            ? new(account, container, prefix) : throw Fault.BadRequest("X-Object-Manifest must be in the format container/prefix");
}
