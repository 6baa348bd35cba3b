using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Samples in, points out. https://gnocchi.osci.io/rest.html#measures. Samples are aggregated when they come: refresh has nothing left to do.</summary>
internal static class Measures
{
    /// <summary>Samples of one request, whatever their metrics.</summary>
    public const int Most = 20_000;

    /// <summary>A list of timestamp and value; what is no number that can be kept is refused, NaN and infinity among it.</summary>
    public static Series Read(Call c, JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array) throw Wrong.Input("unexpected measures format");
        if (list.GetArrayLength() > Most) throw Wrong.Input($"more than {Most} measures at once");
        var (texts, values) = (new List<string>(), new List<double>());
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("timestamp", out var t) || !item.TryGetProperty("value", out var v)) throw Wrong.Input("unexpected measures format");
            texts.Add(t.ValueKind == JsonValueKind.String ? t.GetString()! : t.GetRawText());
            values.Add(Value(v) ?? throw Wrong.Input("unexpected measures value"));
        }
        try { return Series.Of(Times.Parse(texts, c.Now).Zip(values)); }
        catch (FormatException e) { throw Wrong.Input($"unexpected timestamp '{e.Message}'"); }
    }

    private static double? Value(JsonElement v)
    {
        double n;
        if (v.ValueKind == JsonValueKind.Number ? !v.TryGetDouble(out n) : !double.TryParse(v.ValueKind == JsonValueKind.String ? v.GetString() : "", System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out n)) return null;
        return double.IsFinite(n) ? n : null;
    }

    public static async ValueTask<Reply> Post(Call c, Metric m)
    {
        await Add(c.Services, m, Read(c, Bodies.Of(c)), c.Cancelled);
        return Accepted();
    }

    public static async ValueTask Add(Platform.Services s, Metric m, Series samples, CancellationToken ct) => await Add(s, m, await Definitions.PolicyOf(s.Store, m, ct), samples, ct);

    public static async ValueTask Add(Platform.Services s, Metric m, ArchivePolicy policy, Series samples, CancellationToken ct) => await Archive.Add(s.Store, m.Id, policy, samples, await Watches.Of(s).Messages(m), ct);

    public static Reply Accepted() => Reply.Empty(202);

    public static async ValueTask<Reply> Get(Call c, Metric m)
    {
        var (policy, span, method) = (await Definitions.PolicyOf(c.Store, m, c.Cancelled), Range.Of(c), c.First("aggregation") ?? "mean");
        _ = Bodies.Flag(c, "refresh");
        if (span.Resample is not null && span.Granularity is null) throw Fault.BadRequest("A granularity must be specified to resample");
        if (!policy.AggregationMethods.Contains(method)) throw NoMethod(m, method);
        var resolutions = policy.Definition.OrderByDescending(d => d.Granularity).ToList();
        if (span.Granularity is { } g) resolutions = [policy.At(g) ?? throw NoGranularity(m, method, g)];
        var parts = new List<(Resolution, Series)>();
        foreach (var d in resolutions) parts.Add((d, await Archive.Read(c.Store, m.Id, policy, method, d, span.From, span.To, span.Resample, c.Cancelled)));
        return Reply.Of(200, w =>
        {
            w.WriteStartArray();
            foreach (var (d, series) in parts)
                for (var i = 0; i < series.Count; i++) Point(w, series.Times[i], span.Resample ?? new(d.Granularity, ' '), series.Values[i]);
            w.WriteEndArray();
        });
    }

    public static void Point(Utf8JsonWriter w, long time, Sampling granularity, double value)
    {
        w.WriteStartArray();
        w.WriteStringValue(Times.Show(time));
        granularity.Write(w);
        Numbers.Write(w, value);
        w.WriteEndArray();
    }

    public static Fault NoMethod(Metric m, string method) => Wrong.Parts(404, "Aggregation method does not exist for this metric", null, new JsonObject { ["metric"] = m.Id, ["aggregation_method"] = Wrong.Short(method) });

    public static Fault NoGranularity(Metric m, string method, long g, int status = 404) =>
        new(status, $"Aggregation method '{method}' at granularity '{Numbers.Text((double)g / Times.Second)}' for metric {m.Id} does not exist")
        {
            Described = status == 400 ? new JsonObject { ["cause"] = "Aggregation does not exist", ["detail"] = new JsonObject { ["granularity"] = (double)g / Times.Second, ["aggregation_method"] = method } } : null,
        };
}

/// <summary>Which points a request asks for: start &lt;= t &lt; stop, of one granularity or all.</summary>
internal sealed record Range(long? From, long? To, long? Granularity, Sampling? Resample)
{
    public static Range Of(Call c)
    {
        long? Time(string name)
        {
            try { return c.First(name) is { } text ? Times.Parse(text, c.Now) : null; }
            catch (FormatException) { throw Wrong.Argument(name, "Must be a datetime or a timestamp"); }
        }
        long? granularity = null;
        try { if (c.First("granularity") is { } text) granularity = Times.Positive(text); }
        catch (FormatException e) { throw Wrong.Argument("granularity", e.Message); }
        try { return new(Time("start"), Time("stop"), granularity, c.First("resample") is { Length: > 0 } r ? Sampling.Parse(r) : null); }
        catch (FormatException e) { throw Fault.BadRequest(e.Message); }
    }
}
