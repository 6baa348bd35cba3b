using Cloud.Platform.Events;
using Cloud.Platform.Rest;

namespace Cloud.Platform.State;

/// <summary>One resource's share of a project's limits, e.g. ("gigabytes", 5).</summary>
public readonly record struct Charge(string Resource, long Amount);

/// <summary>
/// Limits of one service. What is used is counted from the live rows whenever a limit applies (so at most as many rows as the limit allows are read),
/// and the limits' row is rewritten in the same transaction: two creates at the limit can't both pass.
/// </summary>
public sealed class Quota(string service, IReadOnlyDictionary<string, long> defaults)
{
    private sealed record Limits { public Dictionary<string, long> Set { get; init; } = []; public long Uses { get; init; } }

    private readonly List<(string? Only, Func<IEntityStore, string, ValueTask<IEnumerable<Charge>>> Count)> _sources = [];
    private string Key => $"quota|{service}";

    public IReadOnlyDictionary<string, long> Defaults => defaults;

    /// <summary>Makes a kind count. Called once for each kind that charges this service's limits.</summary>
    public Func<T, Charge[]> Counts<T>(Rows<T> rows, Func<T, Charge[]> charges) where T : Resource
    {
        _sources.Add((null, async (store, project) => (await rows.InProject(store, project)).SelectMany(charges)));
        return charges;
    }

    /// <summary>The same for a kind each of which counts one: no row is parsed for it.</summary>
    public Func<T, Charge[]> CountsEach<T>(Rows<T> rows, string resource) where T : Resource
    {
        _sources.Add((resource, async (store, project) => [new(resource, await rows.Count(store, project))]));
        return _ => [new(resource, 1)];
    }

    /// <summary>The same for a kind each of which takes an amount: its rows are read only when that resource is charged.</summary>
    public Func<T, Charge[]> CountsEach<T>(Rows<T> rows, string resource, Func<T, long> amount) where T : Resource
    {
        _sources.Add((resource, async (store, project) => [new(resource, (await rows.InProject(store, project)).Sum(amount))]));
        return item => [new(resource, amount(item))];
    }

    /// <summary>-1 means unlimited.</summary>
    public async ValueTask<IReadOnlyDictionary<string, long>> LimitsOf(IEntityStore store, string project)
    {
        var set = await store.Get(project, Key) is { } row ? Json.Read<Limits>(row.Body).Set : [];
        return defaults.ToDictionary(d => d.Key, d => set.GetValueOrDefault(d.Key, d.Value));
    }

    /// <summary>Projects whose limits were set.</summary>
    public async ValueTask<IReadOnlyList<string>> Projects(IEntityStore store, CancellationToken ct = default)
    {
        var set = new List<string>();
        await foreach (var row in store.Scan(Key, Key + '\0', ct))
            if (Json.Read<Limits>(row.Body).Set.Count > 0) set.Add(row.Partition);
        return set;
    }

    /// <param name="wanted">Null for all.</param>
    public async ValueTask<Dictionary<string, long>> UsageOf(IEntityStore store, string project, IReadOnlyCollection<string>? wanted = null)
    {
        var used = defaults.Keys.ToDictionary(k => k, _ => 0L);
        foreach (var (only, count) in _sources)
            if (only is null || wanted?.Contains(only) != false)
                foreach (var c in await count(store, project)) used[c.Resource] = used.GetValueOrDefault(c.Resource) + c.Amount;
        return used;
    }

    public async ValueTask Set(IEntityStore store, string project, IReadOnlyDictionary<string, long>? limits)
    {
        if (limits is null) { await store.Commit(project, [new Op.Delete(Key)]); return; }
        var old = await store.Get(project, Key) is { } row ? Json.Read<Limits>(row.Body) : new();
        var set = new Dictionary<string, long>(old.Set);
        foreach (var (k, v) in limits) set[k] = v;
        await store.Commit(project, [new Op.Upsert(Key, Json.Write(old with { Set = set, Uses = old.Uses + 1 }))]);
    }

    /// <summary>The operations that make the caller's transaction fail if anybody else charged the project meanwhile.</summary>
    /// <exception cref="Fault">Over the limit; <paramref name="over"/> makes it in the service's words.</exception>
    public async ValueTask<IReadOnlyList<Op>> Reserve(IEntityStore store, string project, IReadOnlyList<Charge> charges, Func<string, long, long, long, Fault> over)
    {
        var row = await store.Get(project, Key);
        var limits = row is null ? new Limits() : Json.Read<Limits>(row.Body);
        var limited = charges.Where(c => c.Amount > 0 && limits.Set.GetValueOrDefault(c.Resource, defaults.GetValueOrDefault(c.Resource, -1)) >= 0).ToList();
        if (limited.Count == 0) return [];
        var used = await UsageOf(store, project, [.. limited.Select(c => c.Resource)]);
        foreach (var c in limited)
        {
            var limit = limits.Set.GetValueOrDefault(c.Resource, defaults[c.Resource]);
            if (used.GetValueOrDefault(c.Resource) + c.Amount > limit) throw over(c.Resource, c.Amount, used.GetValueOrDefault(c.Resource), limit);
        }
        var body = Json.Write(limits with { Uses = limits.Uses + 1 });
        return [row is null ? new Op.Insert(Key, body) : new Op.Replace(Key, body, row.ETag)];
    }

    /// <summary>Makes the caller's transaction fail if anybody charges the project from now on: what is looked at after this is all there is.</summary>
    public async ValueTask<Op> Uncharged(IEntityStore store, string project, CancellationToken ct = default) => new Op.Check(Key, (await store.Get(project, Key, ct))?.ETag);

    /// <summary>A project is gone: so are its limits, of all services.</summary>
    public static async Task OnEvent(Services s, Event gone, CancellationToken ct)
    {
        if (gone.Type != "cloud.serverless.identity.project.deleted") return;
        var (from, to) = Keys.Range("quota|");
        foreach (var row in await s.Store.List(gone.Subject, from, to, ct: ct)) await s.Store.Commit(gone.Subject, [new Op.Delete(row.Key)], ct: ct);
    }
}
