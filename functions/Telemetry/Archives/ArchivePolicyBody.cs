using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Reads archive policies from bodies. https://gnocchi.osci.io/rest.html#archive-policy</summary>
internal static class ArchivePolicyBody
{
    private const int MostResolutions = 10;

    public static ArchivePolicy Create(JsonElement body)
    {
        Bodies.Keys(body, [], ["name", "definition"], ["back_window", "aggregation_methods"]);
        var window = !body.TryGetProperty("back_window", out var b) ? 0
            : Whole(b) is { } n ? n is >= 0 and <= 100_000 ? (int)n : throw Wrong.Value("value must be at least 0", "back_window") : throw Wrong.Value("expected int", "back_window");
        string[] methods = body.TryGetProperty("aggregation_methods", out var m) ? [.. Bodies.Items(m, "aggregation_methods").Select((x, i) => Method(x, i))] : ArchivePolicy.DefaultMethods;
        return new() { Name = Bodies.Text(body, "name", 255), BackWindow = window, Definition = Definition(body), AggregationMethods = ArchivePolicy.Resolve(methods) };
    }

    public static Resolution[] Definition(JsonElement body)
    {
        var items = Bodies.Items(body.GetProperty("definition"), "definition");
        if (items.Count == 0) throw Wrong.Value("length of value must be at least 1", "definition");
        if (items.Count > MostResolutions) throw Wrong.Value($"length of value must be at most {MostResolutions}", "definition");
        Resolution[] all = [.. items.Select(One)];
        if (all.GroupBy(d => d.Granularity).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Fault.BadRequest($"More than one archive policy uses granularity `{Numbers.Text((double)twice.Key / Times.Second)}'");
        return all;
    }

    private static Resolution One(JsonElement item, int at)
    {
        var index = at.ToString(CultureInfo.InvariantCulture);
        Bodies.Keys(item, ["definition", index], [], ["granularity", "points", "timespan"]);
        long? Span(string name)
        {
            if (!item.TryGetProperty(name, out var v)) return null;
            try { return Times.Positive(v.ValueKind is JsonValueKind.String ? v.GetString()! : v.GetRawText()); }
            catch (FormatException e) { throw Wrong.Value(e.Message, "definition", index, name); }
        }
        var (granularity, timespan) = (Span("granularity"), Span("timespan"));
        long? points = !item.TryGetProperty("points", out var p) ? null
            : Whole(p) is not { } n ? throw Wrong.Value("expected int", "definition", index, "points")
            : n is >= 1 and <= 1_000_000_000 ? n : throw Wrong.Value("value must be at least 1", "definition", index, "points");
        if (granularity is { } g && points is { } ps && timespan is { } ts && ts != g * (decimal)ps) throw Fault.BadRequest("timespan ≠ granularity × points");
        if (granularity is null && (points is null || timespan is null)) throw Fault.BadRequest("At least two of granularity/points/timespan must be provided");
        var step = granularity ?? timespan!.Value / points!.Value;
        if (step <= 0) throw Fault.BadRequest("Granularity should be > 0");
        if (points is null && timespan is { } whole) points = whole / step is > 0 and var count ? count : throw Fault.BadRequest("Calculated number of points is < 0");
        if (points > long.MaxValue / step) throw Fault.BadRequest("The timespan is out of range");
        return new(step, points, points * step);
    }

    private static string Method(JsonElement value, int at)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        return text == "*" || ArchivePolicy.AllMethods.Contains(text) || (text.Length > 1 && text[0] is '+' or '-' && ArchivePolicy.AllMethods.Contains(text[1..])) ? text
            : throw Wrong.Value("not a valid value", "aggregation_methods", at.ToString(CultureInfo.InvariantCulture));
    }

    private static long? Whole(JsonElement v) => v.ValueKind switch
    {
        JsonValueKind.Number when v.TryGetDouble(out var d) && Math.Abs(d) < 1e15 => (long)d,
        JsonValueKind.String when long.TryParse(v.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) => n,
        _ => null,
    };
}
