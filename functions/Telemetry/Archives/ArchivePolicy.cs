using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloud.Telemetry;

/// <summary>One resolution that is kept: spans of <paramref name="Granularity"/> nanoseconds, for <paramref name="Timespan"/> back from the newest; for ever when null.</summary>
public sealed record Resolution(long Granularity, long? Points, long? Timespan);

/// <summary>How samples of a metric are thinned out, and for how long what remains is kept.</summary>
public sealed record ArchivePolicy
{
    public static readonly string[] DefaultMethods = ["count", "max", "mean", "min", "std", "sum"];

    /// <summary>All that can be computed over a span, as the capabilities list them.</summary>
    public static readonly FrozenSet<string> AllMethods = Methods().ToFrozenSet();

    public string Name { get; init; } = "";
    /// <summary>So many of the coarsest spans before the newest samples may still come.</summary>
    public int BackWindow { get; init; }
    public Resolution[] Definition { get; init; } = [];
    /// <summary>Resolved and in order; fixed once the policy is made, since stored points have a column for each.</summary>
    public string[] AggregationMethods { get; init; } = [];

    [JsonIgnore] public long Coarsest => Definition.Max(d => d.Granularity);
    [JsonIgnore] public bool Derives => AggregationMethods.Any(m => m.StartsWith("rate:", StringComparison.Ordinal));

    public Resolution? At(long granularity) => Array.Find(Definition, d => d.Granularity == granularity);

    private static IEnumerable<string> Methods()
    {
        string[] plain = ["mean", "sum", "last", "max", "min", "std", "median", "first", "count", .. Enumerable.Range(1, 99).Select(n => $"{n}pct")];
        return plain.Concat(plain.Select(m => "rate:" + m));
    }

    /// <summary>What a list of methods means: "*" is all, and names with + or - alone change the default ones.</summary>
    public static string[] Resolve(IReadOnlyCollection<string> given)
    {
        var set = new SortedSet<string>(given.Contains("*") ? AllMethods : given.All(m => m[0] is '+' or '-') ? DefaultMethods : given, StringComparer.Ordinal);
        foreach (var m in given)
        {
            if (m[0] == '-') set.Remove(m[1..]);
            if (m[0] == '+') set.Add(m[1..]);
        }
        set.RemoveWhere(m => !AllMethods.Contains(m));
        return [.. set];
    }

    public void Write(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("name", Name);
        w.WriteNumber("back_window", BackWindow);
        w.WriteStartArray("definition");
        foreach (var d in Definition)
        {
            w.WriteStartObject();
            if (d.Timespan is { } t) w.WriteString("timespan", Times.ShowSpan(t));
            else w.WriteNull("timespan");
            w.WriteString("granularity", Times.ShowSpan(d.Granularity));
            if (d.Points is { } p) w.WriteNumber("points", p);
            else w.WriteNull("points");
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteStartArray("aggregation_methods");
        foreach (var m in AggregationMethods) w.WriteStringValue(m);
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
