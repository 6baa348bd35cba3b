using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Ways in for other programs' formats: Prometheus' remote write, and InfluxDB's lines (Telegraf). https://gnocchi.osci.io/prometheus.html and influxdb.html</summary>
internal static class Writers
{
    private const int MostPacked = 1 << 20, MostUnpacked = 8 << 20;

    public static readonly Route[] Routes =
    [
        new("POST", "/v1/prometheus/write", "metric:write", Prometheus) { Streams = true },
        new("GET", "/v1/influxdb/ping", "metric:get_definitions", _ => new(Reply.Empty(204).With("X-Influxdb-Version", "Gnocchi 4.4.2"))),
        new("POST", "/v1/influxdb/query", "metric:write", Query) { Streams = true },
        new("POST", "/v1/influxdb/write", "metric:write", Influx) { Streams = true },
    ];

    /// <summary>Values of one resource by their metrics.</summary>
    private sealed class Collected : Dictionary<string, List<(long, double)>>
    {
        public void Add(string metric, long time, double value)
        {
            if (!TryGetValue(metric, out var list)) this[metric] = list = [];
            // Marks of what ended, and sums of nothing, are no numbers.
            if (double.IsFinite(value) && time >= 0) list.Add((time, value));
        }
    }

    private static async ValueTask<byte[]> Body(Call c) => [.. await WholeBody.Read(c.Stream!, MostPacked, c.Cancelled) ?? throw new Fault(413, "Request is too large.")];

    private static async ValueTask<Reply> Prometheus(Call c)
    {
        var resources = new Dictionary<(string Job, string Instance), Collected>();
        try
        {
            ReadOnlyMemory<byte> all = Snappy.Unpack(await Body(c), MostUnpacked);
            for (var at = 0; at < all.Length;)
                if (Protobuf.Next(all, ref at) is (1, var series, _)) Series(series, resources);
        }
        catch (FormatException e) { throw Fault.BadRequest($"Invalid input: {e.Message}"); }
        var type = await Known(c, new() { Name = "prometheus", Attributes = [.. ((string[])["instance", "job"]).Select(n => new ResourceAttribute { Name = n, Slot = n, Required = true, Shortest = 1 })] });
        foreach (var ((job, instance), measures) in resources)
            await Add(c, $"{job}@{instance}", type, new() { ["job"] = job, ["instance"] = instance }, measures);
        return Reply.Empty(202);
    }

    private static void Series(ReadOnlyMemory<byte> series, Dictionary<(string, string), Collected> resources)
    {
        var (labels, samples) = (new Dictionary<string, string>(), new List<(long, double)>());
        for (var at = 0; at < series.Length;)
        {
            var (number, bytes, _) = Protobuf.Next(series, ref at);
            string? name = null, text = null;
            double value = 0;
            long time = 0;
            for (var i = 0; i < bytes.Length;)
            {
                var (field, inner, whole) = Protobuf.Next(bytes, ref i);
                if (number == 1 && field == 1) name = Encoding.UTF8.GetString(inner.Span);
                if (number == 1 && field == 2) text = Encoding.UTF8.GetString(inner.Span);
                if (number == 2 && field == 1 && inner.Length == 8) value = BinaryPrimitives.ReadDoubleLittleEndian(inner.Span);
                if (number == 2 && field == 2) time = (long)whole;
            }
            if (name is not null) labels[name] = text ?? "";
            if (number == 2 && Math.Abs(time) < 9_000_000_000_000) samples.Add((time * 1_000_000, value));
        }
        if (!labels.TryGetValue("__name__", out var metric)) return;
        var key = (labels.GetValueOrDefault("job", "none"), labels.GetValueOrDefault("instance", "none"));
        if (!resources.TryGetValue(key, out var of)) resources[key] = of = [];
        foreach (var (time, value) in samples) of.Add(metric, time, value);
    }

    private static async ValueTask<Reply> Query(Call c)
    {
        var words = (c.First("q") ?? "").Trim().TrimEnd(';').Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is not [var create, var database, var name] || !create.Equals("create", StringComparison.OrdinalIgnoreCase) || !database.Equals("database", StringComparison.OrdinalIgnoreCase))
            throw Wrong.Parts(501, "Not implemented error", "Query not implemented", "q");
        c.Require("metric:define", default);
        await Definitions.Insert(c.Store, Definitions.Type(name.Trim('"')), new ResourceType { Name = name.Trim('"') }, c.Cancelled);
        return Reply.Empty(204);
    }

    private static async ValueTask<Reply> Influx(Call c)
    {
        var (tag, resources, number) = (c.Header("X-Gnocchi-InfluxDB-Tag-Resource-ID") ?? "host", new Dictionary<string, Collected>(), 0);
        foreach (var line in Encoding.UTF8.GetString(await Body(c)).Split('\n'))
        {
            number++;
            if (line.Trim('\r', ' ').Length == 0) continue;
            if (InfluxLine.Parse(line.TrimEnd('\r')) is not { } point) throw Wrong.Parts(400, "Value error", $"Unable to parse line {number}", "line");
            if (!point.Tags.Remove(tag, out var resource)) throw Wrong.Parts(400, "Value error", $"Unable to find key `{Wrong.Short(tag)}' in tags", "key");
            if (!resources.TryGetValue(resource, out var of)) resources[resource] = of = [];
            var tags = point.Tags.Count == 0 ? "" : "@" + string.Join(',', point.Tags.Select(t => $"{t.Key}={t.Value}"));
            foreach (var (field, value) in point.Fields) of.Add($"{point.Measurement}.{field}{tags}".Replace('/', '_'), point.Time ?? Times.Of(c.Now), value);
        }
        var type = await ResourceTypes.Load(c.Store, c.First("db") ?? "influxdb", c.Cancelled);
        foreach (var (resource, measures) in resources) await Add(c, resource, type, [], measures);
        return Reply.Empty(204);
    }

    /// <summary>The resource type, made when it isn't there by whoever may.</summary>
    private static async ValueTask<ResourceType> Known(Call c, ResourceType wanted)
    {
        if ((await Definitions.Find<ResourceType>(c.Store, Definitions.Type(wanted.Name), c.Cancelled))?.Item is { } there) return there;
        c.Require("metric:define", default);
        await Definitions.Insert(c.Store, Definitions.Type(wanted.Name), wanted, c.Cancelled);
        return await ResourceTypes.Load(c.Store, wanted.Name, c.Cancelled);
    }

    private static async ValueTask Add(Call c, string original, ResourceType type, Dictionary<string, string> attributes, Collected measures)
    {
        var creator = Creator.Of(c);
        string id;
        try { id = Ids.Resource(original, creator); }
        catch (FormatException e) { throw Fault.BadRequest($"Invalid input: {e.Message}"); }
        var s = await Catalogue.Resource(c.Store, id, c.Cancelled);
        if (s is null)
        {
            var values = type.Attributes.Where(a => attributes.ContainsKey(a.Name)).ToDictionary(a => a.Slot, a => JsonSerializer.SerializeToElement(attributes[a.Name]));
            var now = Times.Microsecond(c.Now);
            await Catalogue.Insert(c.Store, new() { Id = id, Original = original, Type = type.Name, Creator = creator, StartedAt = now, RevisionStart = now, Born = c.Services.Ids.New(), Home = Catalogue.HomeOf(creator.Project), Values = values }, [], c.Cancelled);
            s = await Catalogue.Resource(c.Store, id, c.Cancelled) ?? throw Fault.Conflict("The resource was removed by another request. Try again.");
        }
        if (s.Type != type.Name || !Access.Changes(c, s.Creator)) throw Resources.Taken(id);
        foreach (var some in measures.Keys.Chunk(MetricBody.MostAtOnce)) s = await Batches.WithMetrics(c, s, some.Select(m => (m, "", (string?)null)));
        foreach (var (name, points) in measures)
            if (s.Metrics.TryGetValue(name, out var metric) && await Catalogue.Metric(c.Store, metric, c.Cancelled) is { } m) await Measures.Add(c.Services, m, Telemetry.Series.Of(points), c.Cancelled);
    }
}
