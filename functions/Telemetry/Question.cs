using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>A metric whose samples came.</summary>
public sealed record Arrived(string Metric, string? Name, string? Resource);

/// <summary>What an alarm asks of metrics that its project sees: of one resource, of metrics by their ids, or of resources that a query finds.</summary>
public sealed record Question
{
    public required string Project { get; init; }
    public required string Method { get; init; }
    /// <summary>In seconds.</summary>
    public required long Granularity { get; init; }
    /// <summary>Name of the metric at each resource; null with <see cref="Metrics"/>.</summary>
    public string? Metric { get; init; }
    public IReadOnlyList<string> Metrics { get; init; } = [];
    public string? Resource { get; init; }
    public string Type { get; init; } = "generic";
    /// <summary>A filter as searches take it; null with <see cref="Resource"/>.</summary>
    public JsonElement? Query { get; init; }

    private Creator Asker => new("", Project);

    internal IEnumerable<string> Keys => Metric is null ? Metrics.Select(m => Ids.Uuid(m) ?? m) : Resource is { } r ? [$"{Ids.Resource(r, Creator.Cloud)}/{Metric}"] : [Metric];

    private bool Sees(Subject s) => s.Creator.Project == Project || s.Lent && s.Project == Project;

    internal async ValueTask<IReadOnlyList<(DateTimeOffset, double)>?> Answer(Services s, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var (policies, all, g) = (await Definitions.Policies(s.Store, ct), new List<Series>(), Granularity * Times.Second);
        await foreach (var m in Sought(s, ct))
        {
            var policy = policies.Of(m);
            if (policy.At(g) is not { } d || !policy.AggregationMethods.Contains(Method)) return null;
            if (all.Count == Aggregates.MostSources) return null;
            all.Add(await Archive.Read(s.Store, m.Id, policy, Method, d, Times.Of(from), Times.Of(to), null, ct));
        }
        if (all.Count == 0) return null;
        var joined = all.Count == 1 ? all[0] : Join(all);
        return [.. joined.Times.Zip(joined.Values, (t, v) => (Times.At(t), v))];
    }

    /// <summary>What each time's points are together, whoever has one there.</summary>
    private Series Join(List<Series> all)
    {
        var name = Method.StartsWith("rate:", StringComparison.Ordinal) ? Method[5..] : Method;
        var times = all.SelectMany(x => x.Times.Zip(x.Values)).GroupBy(p => p.First, p => p.Second).OrderBy(p => p.Key).ToList();
        return new([.. times.Select(t => t.Key)], [.. times.Select(t => Aggregate.Of(name, t.ToArray()))]);
    }

    private async IAsyncEnumerable<Metric> Sought(Services s, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (Metric is null)
        {
            foreach (var id in Metrics)
                if (Ids.Uuid(id) is { } uuid && await Catalogue.Metric(s.Store, uuid, ct) is { } m && (m.Creator.Project == Project || m.Resource is { } r && await Catalogue.Resource(s.Store, r, ct) is { } of && Sees(of))) yield return m;
            yield break;
        }
        await foreach (var of in Subjects(s, ct))
            if (of.Metrics.TryGetValue(Metric, out var id) && await Catalogue.Metric(s.Store, id, ct) is { } m) yield return m;
    }

    private async IAsyncEnumerable<Subject> Subjects(Services s, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (Resource is { } given)
        {
            if (await Catalogue.Resource(s.Store, Ids.Resource(given, Creator.Cloud), ct) is { } one && Sees(one)) yield return one;
            yield break;
        }
        if (await Kind(s, ct) is not { } type) yield break;
        var filter = Query is { } q ? Filter.Read(q, s.Now, Asker) : null;
        await foreach (var of in Catalogue.Resources(s.Store, Project, ct))
            if ((type.IsGeneric || of.Type == type.Name) && (filter is null || filter.Matches(of, type) == true)) yield return of;
    }

    private async ValueTask<ResourceType?> Kind(Services s, CancellationToken ct) => Type == "generic" ? ResourceType.Generic : (await Definitions.Find<ResourceType>(s.Store, Definitions.Type(Type), ct))?.Item;

    /// <exception cref="Fault">400 for a query that means nothing, or a type that isn't there.</exception>
    internal async ValueTask Check(Services s, CancellationToken ct)
    {
        var type = await Kind(s, ct) ?? throw Wrong.NoType(Type, 400);
        if (Query is { } q) _ = Filter.Read(q, s.Now, Asker)?.Matches(new(), type);
    }
}
