using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>One line of a listing: an item, or what several names have in common up to the delimiter.</summary>
internal sealed record Entry<T>(string Name, T? Item) where T : class;

/// <summary>
/// Walks a range of rows in the order of names. A part that is common to many names is one line, and the walk goes on behind all of them: a page costs what it shows.
/// Stores list upwards only, so a page in reverse reads what lies above it as well, without keeping it.
/// </summary>
internal static class Listing
{
    private const int Chunk = 1000, Look = 2;

    /// <param name="start">Key to begin at instead of the one that the query says.</param>
    /// <param name="still">Which of those that have the marker's name come after it; for names that keys hold whole, <paramref name="start"/> says that.</param>
    public static async ValueTask<IReadOnlyList<Entry<T>>> Walk<T>(IEntityStore store, string partition, string range, ListQuery q, CancellationToken ct, string? start = null, Func<T, bool>? still = null) where T : Resource, INamed
    {
        var page = new Queue<Entry<T>>();
        if (q.Limit == 0) return [];
        var (after, before, prefix) = (Names.Key(q.After), Names.Key(q.Before), Names.Key(q.Prefix));
        var follows = after.Length > 0 && string.CompareOrdinal(after, prefix) >= 0;
        var from = start ?? range + Names.Cut(follows ? after : prefix) + (follows && !Names.IsLong(after) ? "\0" : "");
        var to = before.Length == 0 ? Shelf.End(range) : range + Names.Cut(before) + (Names.IsLong(before) ? "}" : "");
        // Where much is common, most of what is read is skipped: a folder is then one look at its first name and one to see that it goes on, however many there are. Where it isn't, more is read at a time.
        var chunk = q.Delimiter.Length > 0 ? Look : Chunk;
        while (string.CompareOrdinal(from, to) < 0)
        {
            var rows = await InOrder<T>(store, partition, range, await store.List(partition, from, to, q.Reverse ? chunk : Math.Min(chunk, q.Limit - page.Count + 1), ct), ct);
            var (skip, passed) = ((string?)null, 0);
            foreach (var row in rows)
            {
                if (skip is not null && row.Key.StartsWith(skip, StringComparison.Ordinal)) { passed++; continue; }
                var item = Json.Read<T>(row.Body);
                if (skip is not null && Names.IsLong(skip[range.Length..]) && (range + Names.Key(item.Name)).StartsWith(skip, StringComparison.Ordinal)) continue;
                skip = null;
                if (follows && Names.IsLong(after) && string.CompareOrdinal(Names.Key(item.Name), after) is <= 0 and var order && !(order == 0 && still?.Invoke(item) == true)) continue;
                if (Names.IsLong(prefix) && string.CompareOrdinal(Names.Key(item.Name), prefix) < 0) continue;
                if (!item.Name.StartsWith(q.Prefix, StringComparison.Ordinal) || Names.IsLong(before) && string.CompareOrdinal(Names.Key(item.Name), before) >= 0) return Done(page, q);
                if (Part(item.Name, q) is { } part)
                {
                    if (!q.Flat && part != q.After) page.Enqueue(new(part, null));
                    skip = range + Names.Key(part);
                    // What is common to all of the rest is skipped; one that ends there is a name of its own in the older form.
                    if (q.Flat && item.Name == part) page.Enqueue(new(item.Name, item));
                }
                else page.Enqueue(new(item.Name, item));
                if (page.Count > q.Limit) page.Dequeue();
                if (!q.Reverse && page.Count == q.Limit) return Done(page, q);
            }
            if (rows.Count == 0) break;
            chunk = passed * 2 >= rows.Count ? Look : Math.Min(Chunk, chunk * 4);
            from = skip is null || Names.IsLong(skip[range.Length..]) ? rows.Select(r => r.Key).Max(StringComparer.Ordinal) + '\0' : skip + Names.Last;
        }
        return Done(page, q);
    }

    /// <summary>Rows whose keys hold only the beginning of a name, in the order of names: all that share a beginning, even if the page ends among them.</summary>
    private static async ValueTask<IReadOnlyList<Row>> InOrder<T>(IEntityStore store, string partition, string range, IReadOnlyList<Row> rows, CancellationToken ct) where T : Resource, INamed
    {
        if (!rows.Any(r => Names.IsLong(r.Key[range.Length..]))) return rows;
        string KeyOf(Row row) => Names.Key(Json.Read<T>(row.Body).Name);
        if (KeyOf(rows[^1]) is var last && Names.IsLong(last)) rows = [.. rows, .. await store.List(partition, rows[^1].Key + '\0', $"{range}{Names.Cut(last)}}}", ct: ct)];
        return [.. rows.OrderBy(KeyOf, StringComparer.Ordinal)];
    }

    private static IReadOnlyList<Entry<T>> Done<T>(Queue<Entry<T>> page, ListQuery q) where T : class => q.Reverse ? [.. page.Reverse()] : [.. page];

    private static string? Part(string name, ListQuery q) =>
        q.Delimiter.Length > 0 && name.IndexOf(q.Delimiter, q.Prefix.Length, StringComparison.Ordinal) is >= 0 and var at ? name[..(at + q.Delimiter.Length)] : null;
}
