using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Versions;

/// <summary>GET ?versions: every version of every name, the current one first.</summary>
internal static class VersionList
{
    /// <param name="text">Id of the last version of the marker's name that was shown; null when all were.</param>
    public static async ValueTask<IReadOnlyList<Entry<StoredObject>>> Walk(Call c, Container container, ListQuery query, string? text)
    {
        var partition = Shelf.Of(container.ProjectId);
        long? marker = text is null ? null : query.Marker.Length == 0 ? throw Fault.BadRequest("version_marker param requires marker") : Versioning.Parse(text) ?? long.MaxValue;
        query = query with { Reverse = false };
        var current = await Listing.Walk<StoredObject>(c.Store, partition, Shelf.ObjectRange(container.Id), query, c.Cancelled);
        var after = query.Marker.Length == 0 || Names.IsLong(Names.Key(query.Marker)) ? null : marker is null ? Shelf.End(Shelf.PastRange(container.Id, query.Marker)) : Shelf.PastKey(container.Id, query.Marker, marker.Value) + '\0';
        var past = await Listing.Walk<StoredObject>(c.Store, partition, Shelf.PastRange(container.Id), query, c.Cancelled, after, marker is null ? null : o => o.Version < marker);
        // Both are in the order of names, and sorting is stable.
        return [.. current.Concat(past).OrderBy(e => Names.Key(e.Name), StringComparer.Ordinal).DistinctBy(e => e.Item is null ? e.Name : e.Item.Id).Take(query.Limit)];
    }

    /// <summary>What the line of entry <paramref name="i"/> says more than that of an ordinary listing.</summary>
    public static IEnumerable<(string, object)> Line(IReadOnlyList<Entry<StoredObject>> entries, int i)
    {
        var item = entries[i].Item!;
        return [("version_id", Versioning.Text(item.Version)), ("is_latest", IsLatest(entries, i))];
    }

    public static bool IsLatest(IReadOnlyList<Entry<StoredObject>> entries, int i) =>
        entries[i].Item is { } item && (!item.IsPast || item.IsDeleteMarker && (i == 0 || entries[i - 1].Name != item.Name));
}
