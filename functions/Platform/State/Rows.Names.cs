using System.Runtime.CompilerServices;

namespace Cloud.Platform.State;

/// <summary>
/// Finding those of one name without reading the others: a row <c>user.name|NAME|ID</c> beside the resource's own, written in the transaction that gives or takes the name.
/// For kinds of the whole cloud only, whose lists grow longest and which clients look up by name before anything else.
/// </summary>
public sealed partial record Rows<T>
{
    /// <summary>The name that lists are filtered by; null where there is no such index.</summary>
    public Func<T, string>? Named { get; init; }

    private string NameRange(string name) => $"{Name}.name|{Keys.Safe(name)}|";
    private string NameKey(T item) => NameRange(Named!(item)) + item.Id;
    private string NamesKept => $"{Name}.names";

    private IEnumerable<Op> Names(T? now, T? was)
    {
        if (Named is null || (now is not null && was is not null && Named(now) == Named(was))) yield break;
        if (was is not null) yield return new Op.Delete(NameKey(was));
        if (now is not null) yield return new Op.Upsert(NameKey(now), default);
    }

    /// <summary>Those of one name, in key order, after the one that has the id <paramref name="after"/>.</summary>
    public async IAsyncEnumerable<T> NamedInOrder(IEntityStore store, string name, string? after, int chunk, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var range = NameRange(name);
        var (from, to) = Keys.Range(range);
        if (after is not null) from = range + after + '\0';
        while (true)
        {
            var rows = await store.List(PartitionOf(""), from, to, chunk, ct);
            foreach (var item in await GetMany(store, "", rows.Select(r => r.Key[range.Length..]), ct)) yield return item;
            if (rows.Count < chunk) yield break;
            from = rows[^1].Key + '\0';
        }
    }

    /// <summary>Writes the index of what was kept before there was one; nothing to do when it was written once.</summary>
    public async ValueTask KeepNames(IEntityStore store, CancellationToken ct = default)
    {
        if (await store.Get(PartitionOf(""), NamesKept, ct) is not null) return;
        foreach (var some in (await InProject(store, "", ct)).Chunk(100)) await store.Commit(PartitionOf(""), [.. some.SelectMany(x => Names(x, null))], ct: ct);
        await store.Commit(PartitionOf(""), [new Op.Upsert(NamesKept, default)], ct: ct);
    }
}
