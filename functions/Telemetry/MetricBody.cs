using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>A metric as a client wishes it.</summary>
/// <param name="Existing">Id of one that is there; the rest says nothing then.</param>
internal sealed record MetricWish(string? Name, string? Unit, string Policy, string? Resource, string? Existing = null);

/// <summary>Reads metrics from bodies, alone or by name within a resource.</summary>
internal static class MetricBody
{
    /// <summary>Names that one resource may have.</summary>
    public const int Most = 500;
    /// <summary>New ones in one request: a group of the store has 100 operations.</summary>
    public const int MostAtOnce = 90;

    public static async ValueTask<MetricWish> Read(Call c, JsonElement body, string? named = null, params IReadOnlyList<string> path)
    {
        Bodies.Keys(body, path, [], ["archive_policy_name", "resource_id", "name", "unit"]);
        string? Text(string name, int most) => !body.TryGetProperty(name, out var v) ? null
            : v.ValueKind != JsonValueKind.String ? throw Wrong.Value("expected str", [.. path, name])
            : v.GetString()!.Length > most ? throw Wrong.Value($"length of value must be at most {most}", [.. path, name]) : v.GetString();
        var (name, unit, policy) = (named ?? Text("name", 255), Text("unit", 31), Text("archive_policy_name", 255));
        return await Complete(c, new(name, unit, policy ?? "", Text("resource_id", 1024)));
    }

    /// <summary>Finds the archive policy by the rules when none is named.</summary>
    public static async ValueTask<MetricWish> Complete(Call c, MetricWish wish)
    {
        if (wish.Name?.Contains('/', StringComparison.Ordinal) == true) throw Fault.BadRequest("'/' is not supported in metric name");
        if (wish.Name?.Length > 255) throw Fault.BadRequest("A metric's name has at most 255 characters");
        if (wish.Policy.Length == 0)
            wish = wish with { Policy = (await Definitions.Rules(c.Store, c.Cancelled)).Match(wish.Name) ?? throw Fault.BadRequest($"No archive policy name specified and no archive policy rule found matching the metric name {wish.Name ?? "None"}") };
        return wish;
    }

    public static async ValueTask Known(Call c, string policy)
    {
        if (await Definitions.Find<ArchivePolicy>(c.Store, Definitions.Policy(policy), c.Cancelled) is null) throw Wrong.NoPolicy(policy, 400);
    }

    /// <summary>A dictionary of names: ids of metrics, or what they are to be.</summary>
    public static async ValueTask<IReadOnlyList<MetricWish>> Many(Call c, JsonElement body, params IReadOnlyList<string> path)
    {
        Bodies.Object(body, path);
        if (body.GetPropertyCount() > MostAtOnce) throw Wrong.Value($"length of value must be at most {MostAtOnce}", path);
        var wishes = new List<MetricWish>();
        foreach (var p in body.EnumerateObject())
        {
            if (p.Value.ValueKind == JsonValueKind.String)
                wishes.Add(new(p.Name, null, "", null, Ids.Uuid(p.Value.GetString()!) ?? throw Wrong.Value("badly formed hexadecimal UUID string", [.. path, Wrong.Short(p.Name)])));
            else wishes.Add(await Read(c, p.Value, p.Name, [.. path, Wrong.Short(p.Name)]));
        }
        foreach (var policy in wishes.Where(w => w.Existing is null).Select(w => w.Policy).Distinct()) await Known(c, policy);
        return wishes;
    }

    /// <summary>The metrics that a resource gets by these wishes.</summary>
    public static async ValueTask<(List<Metric> Added, List<Metric> Taken)> Make(Call c, Subject s, IReadOnlyList<MetricWish> wishes)
    {
        var (added, taken) = (new List<Metric>(), new List<Metric>());
        foreach (var wish in wishes)
        {
            if (wish.Existing is null) { added.Add(New(c, wish, s)); continue; }
            var m = await Catalogue.Metric(c.Store, wish.Existing, c.Cancelled);
            if (m is null || m.Creator != s.Creator || m.Home != s.Home || m.Resource is not null && m.Resource != s.Id) throw Wrong.NoMetric(wish.Existing, 400);
            taken.Add(m with { Resource = s.Id, Name = wish.Name });
        }
        return (added, taken);
    }

    public static Metric New(Call c, MetricWish wish, Subject s) => new() { Id = c.Services.Ids.New(), Name = wish.Name, Unit = wish.Unit, Policy = wish.Policy, Creator = s.Creator, Resource = s.Id, Home = s.Home };
}
