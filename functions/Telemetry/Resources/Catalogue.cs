using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>
/// Where resources and metrics are kept. Each has a home: the partition of the project in which it was made, where a resource and its metrics change together
/// (<c>r|ID</c>, <c>m|ID</c>, and <c>h|ID|BORN|N</c> for how it was). An index tells the home of an id; written before and removed after, and who creates settles who owns an id.
/// A resource that an operator made for another project has a pointer in that project's partition.
/// </summary>
internal static class Catalogue
{
    public const string Index = "metric.index";
    private const string HomePrefix = "metric.home.", PointerPrefix = "metric.of.";

    public static string HomeOf(string project) => HomePrefix + project;
    private static string ResourceKey(string id) => "r|" + id;
    private static string MetricKey(string id) => "m|" + id;
    private static string History(Subject s) => $"h|{s.Id}|{s.Born}|";

    // ---- reading
    public static async ValueTask<Subject?> Resource(IEntityStore store, string id, CancellationToken ct) =>
        await Home(store, ResourceKey(id), ct) is { } home && await store.Get(home, ResourceKey(id), ct) is { } row ? Subject(row) : null;

    public static async ValueTask<Metric?> Metric(IEntityStore store, string id, CancellationToken ct) =>
        await Home(store, MetricKey(id), ct) is { } home && await store.Get(home, MetricKey(id), ct) is { } row ? Metric(row) : null;

    /// <summary>One of a resource's.</summary>
    public static async ValueTask<Metric?> Metric(IEntityStore store, Subject of, string id, CancellationToken ct) => await store.Get(of.Home, MetricKey(id), ct) is { } row ? Metric(row) : null;

    private static async ValueTask<string?> Home(IEntityStore store, string key, CancellationToken ct) => await store.Get(Index, key, ct) is { } row ? Encoding.UTF8.GetString(row.Body.Span) : null;

    private static Subject Subject(Row row) => Json.Read<Subject>(row.Body) with { Home = row.Partition, ETag = row.ETag };
    private static Metric Metric(Row row) => Json.Read<Metric>(row.Body) with { Home = row.Partition, ETag = row.ETag };

    /// <param name="project">What was made in it or for it; null for all.</param>
    public static async IAsyncEnumerable<Subject> Resources(IEntityStore store, string? project, [EnumeratorCancellation] CancellationToken ct)
    {
        var (from, to) = Keys.Range("r|");
        foreach (var home in project is null ? await Homes(store, ct) : [HomeOf(project)])
            foreach (var row in await store.List(home, from, to, ct: ct)) yield return Subject(row);
        if (project is null) yield break;
        foreach (var pointer in await store.List(PointerPrefix + Keys.Safe(project), from, to, ct: ct))
            if (await store.Get(Encoding.UTF8.GetString(pointer.Body.Span), pointer.Key, ct) is { } row && Subject(row) is var s && s.Lent && s.Project == project && s.Home != HomeOf(project)) yield return s;
    }

    /// <summary>Metrics made in a project, and those of resources made for it; null for all.</summary>
    public static async IAsyncEnumerable<Metric> Metrics(IEntityStore store, string? project, [EnumeratorCancellation] CancellationToken ct)
    {
        var (from, to) = Keys.Range("m|");
        foreach (var home in project is null ? await Homes(store, ct) : [HomeOf(project)])
            foreach (var row in await store.List(home, from, to, ct: ct)) yield return Metric(row);
        if (project is null) yield break;
        await foreach (var s in Resources(store, project, ct))
            if (s.Home != HomeOf(project)) await foreach (var m in MetricsOf(store, s, ct)) yield return m;
    }

    public static async IAsyncEnumerable<Metric> MetricsOf(IEntityStore store, Subject s, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var id in s.Metrics.Values)
            if (await store.Get(s.Home, MetricKey(id), ct) is { } row) yield return Metric(row);
    }

    /// <summary>How a resource was, oldest first.</summary>
    public static async ValueTask<IReadOnlyList<Subject>> Past(IEntityStore store, Subject s, CancellationToken ct)
    {
        var (from, to) = Keys.Range(History(s));
        return [.. (await store.List(s.Home, from, to, ct: ct)).Select(r => Json.Read<Subject>(r.Body) with { Home = s.Home, Metrics = s.Metrics })];
    }

    private static async ValueTask<IReadOnlyList<string>> Homes(IEntityStore store, CancellationToken ct)
    {
        var (from, to) = Keys.Range("home|");
        return [.. (await store.List(Definitions.Partition, from, to, ct: ct)).Select(r => HomeOf(r.Key["home|".Length..]))];
    }

    // ---- writing
    /// <summary>Writes a new resource with its metrics.</summary>
    /// <returns>False when the id is taken.</returns>
    public static async ValueTask<bool> Insert(IEntityStore store, Subject s, IReadOnlyList<Metric> metrics, CancellationToken ct)
    {
        var claim = new Op.Upsert(ResourceKey(s.Id), Encoding.UTF8.GetBytes(s.Home));
        if (await Resource(store, s.Id, ct) is not null) return false;
        await Enter(store, s, metrics, claim, ct);
        try { await store.Commit(s.Home, [new Op.Insert(ResourceKey(s.Id), Json.Write(s)), .. metrics.Select(Insertion)], ct: ct); }
        catch (ConflictException) { return false; }
        // Two that made it at the same time in two projects: the index says whose it is.
        if (await Home(store, ResourceKey(s.Id), ct) == s.Home) return true;
        await store.Commit(s.Home, [new Op.Delete(ResourceKey(s.Id)), .. metrics.Select(m => new Op.Delete(MetricKey(m.Id)))], ct: ct);
        return false;
    }

    /// <summary>Replaces one, keeping how it was when <paramref name="past"/> says so, along with changes of its metrics.</summary>
    /// <exception cref="ConflictException">It was changed meanwhile.</exception>
    public static async ValueTask Replace(IEntityStore store, Subject was, Subject s, Subject? past, IReadOnlyList<Metric> added, IReadOnlyList<Metric> changed, IReadOnlyList<Message>? messages, CancellationToken ct)
    {
        if (added.Count > 0 || was.Project != s.Project) await Enter(store, s, added, null, ct);
        List<Op> ops = [new Op.Replace(ResourceKey(s.Id), Json.Write(s), was.ETag), .. added.Select(Insertion), .. changed.Select(m => new Op.Replace(MetricKey(m.Id), Json.Write(m), m.ETag))];
        if (past is not null) ops.Add(new Op.Insert(History(s) + past.Changes.ToString("D8", CultureInfo.InvariantCulture), Json.Write(past)));
        await store.Commit(s.Home, ops, messages, ct);
    }

    public static async ValueTask Insert(IEntityStore store, Metric m, CancellationToken ct)
    {
        await Enter(store, new() { Home = m.Home }, [m], null, ct);
        await store.Commit(m.Home, [Insertion(m)], ct: ct);
    }

    /// <summary>Removes a metric and its name at its resource; its points follow.</summary>
    public static async ValueTask Remove(Services s, Metric m, CancellationToken ct)
    {
        List<Op> ops = [new Op.Delete(MetricKey(m.Id), m.ETag)];
        if (m.Resource is { } id && await s.Store.Get(m.Home, ResourceKey(id), ct) is { } row && Subject(row) is var r && r.Metrics.ContainsValue(m.Id))
            ops.Add(new Op.Replace(row.Key, Json.Write(r with { Metrics = new(r.Metrics.Where(p => p.Value != m.Id).ToDictionary()) }), row.ETag));
        await s.Store.Commit(m.Home, ops, [Clearing.Of(m.Home, [m.Id], null)], ct);
    }

    /// <summary>Removes a resource with its metrics; what is kept elsewhere follows.</summary>
    public static async ValueTask Remove(Services s, Subject r, CancellationToken ct) =>
        await s.Store.Commit(r.Home, [new Op.Delete(ResourceKey(r.Id), r.ETag), .. r.Metrics.Values.Select(m => new Op.Delete(MetricKey(m)))], [Clearing.Of(r.Home, [.. r.Metrics.Values], r)], ct);

    private static Op.Insert Insertion(Metric m) => new(MetricKey(m.Id), Json.Write(m));

    /// <summary>Everything that leads to what is about to be written.</summary>
    private static async ValueTask Enter(IEntityStore store, Subject s, IReadOnlyList<Metric> metrics, Op? claim, CancellationToken ct)
    {
        var home = "home|" + s.Home[HomePrefix.Length..];
        if (await store.Get(Definitions.Partition, home, ct) is null) await store.Commit(Definitions.Partition, [new Op.Upsert(home, ReadOnlyMemory<byte>.Empty)], ct: ct);
        List<Op> entries = [.. metrics.Select(m => new Op.Upsert(MetricKey(m.Id), Encoding.UTF8.GetBytes(m.Home)))];
        if (claim is not null) entries.Add(claim);
        if (entries.Count > 0) await store.Commit(Index, entries, ct: ct);
        if (s.Lent && s.Project is { } p && HomeOf(p) != s.Home) await store.Commit(PointerPrefix + Keys.Safe(p), [new Op.Upsert(ResourceKey(s.Id), Encoding.UTF8.GetBytes(s.Home))], ct: ct);
    }

    /// <summary>Removes what led to a thing, if it still leads nowhere.</summary>
    public static async ValueTask Forget(IEntityStore store, string home, string? resource, string? project, IEnumerable<string> metrics, CancellationToken ct)
    {
        var places = metrics.Select(m => (Index, MetricKey(m)));
        if (resource is not null) places = places.Append((Index, ResourceKey(resource)));
        if (resource is not null && project is not null) places = places.Append((PointerPrefix + Keys.Safe(project), ResourceKey(resource)));
        foreach (var (partition, key) in places)
        {
            if (await store.Get(partition, key, ct) is not { } row || Encoding.UTF8.GetString(row.Body.Span) != home || await store.Get(home, key, ct) is not null) continue;
            try { await store.Commit(partition, [new Op.Delete(key, row.ETag)], ct: ct); }
            catch (ConflictException) { /* it is needed again */ }
        }
    }

    /// <summary>Entries of the index whose write was never completed.</summary>
    public static readonly Leftovers Entries = new("metric-index", async (s, ct) =>
    {
        var stale = new List<Row>();
        foreach (var row in await s.Store.List(Index, "", char.MaxValue.ToString(), ct: ct))
            if (await s.Store.Get(Encoding.UTF8.GetString(row.Body.Span), row.Key, ct) is null) stale.Add(row);
        return stale;
    });

    /// <summary>A part of one resource's past, to be removed.</summary>
    public static async ValueTask ForgetPast(IEntityStore store, string home, string prefix, CancellationToken ct)
    {
        var (from, to) = Keys.Range(prefix);
        while (await store.List(home, from, to, 100, ct) is { Count: > 0 } rows) await store.Commit(home, [.. rows.Select(r => new Op.Delete(r.Key))], ct: ct);
    }

    public static string PastOf(Subject s) => History(s);
}
