using System.Text.Json;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>Quota sets as Nova and Cinder show and take them.</summary>
public static class QuotaSets
{
    /// <param name="id">What the answer names as id; null for none.</param>
    /// <param name="of">The project asked about, where that isn't <paramref name="id"/>.</param>
    /// <exception cref="Fault">403 for another project's, unless to an administrator.</exception>
    public static async ValueTask<Reply> Show(Call c, Quota quota, string? id, bool usage, string? of = null)
    {
        var project = of ?? id!;
        if (project != c.User?.ProjectId) c.Require("admin", default);
        return Of(id, await quota.LimitsOf(c.Store, project), usage ? await quota.UsageOf(c.Store, project) : null);
    }

    public static Reply Of(string? id, IReadOnlyDictionary<string, long> limits, IReadOnlyDictionary<string, long>? used = null, string name = "quota_set") => Reply.Object(200, w => w.Object(name, () =>
    {
        if (id is not null) w.WriteString("id", id);
        foreach (var (resource, limit) in limits)
        {
            if (used is null) w.WriteNumber(resource, limit);
            else w.Object(resource, () =>
            {
                w.WriteNumber("limit", limit);
                w.WriteNumber("in_use", used.GetValueOrDefault(resource));
                w.WriteNumber("reserved", 0);
            });
        }
    }));

    /// <summary>Sets a project's limits from the body's quota_set.</summary>
    /// <param name="ignored">Names that are taken and forgotten. <paramref name="hidden"/>: names that this version doesn't know.</param>
    /// <exception cref="Fault">400 for an unknown one, a value below -1, or below what is used (unless forced).</exception>
    public static async ValueTask Set(Call c, Quota quota, string project, Func<string, bool>? ignored = null, Func<string, bool>? hidden = null)
    {
        var limits = new Dictionary<string, long>();
        var force = false;
        foreach (var p in c.Body("quota_set").EnumerateObject())
        {
            if (p.Name == "force") { force = Lenient.Boolean(p.Value) ?? throw Bad(p.Name); continue; }
            if (p.Name is "tenant_id" or "project_id" || ignored?.Invoke(p.Name) == true) continue;
            if (!quota.Defaults.ContainsKey(p.Name) || hidden?.Invoke(p.Name) == true) throw Fault.BadRequest($"Additional properties are not allowed ('{(p.Name.Length > 60 ? p.Name[..60] : p.Name)}' was unexpected)");
            limits[p.Name] = Number(p.Value) is { } n && n is >= -1 and <= int.MaxValue ? n : throw Bad(p.Name);
        }
        if (!force)
        {
            var used = await quota.UsageOf(c.Store, project);
            foreach (var (name, limit) in limits)
                if (limit >= 0 && used.GetValueOrDefault(name) > limit) throw Fault.BadRequest($"Quota limit {limit} for {name} must be greater than or equal to already used and reserved {used[name]}.");
        }
        await quota.Set(c.Store, project, limits);
    }

    /// <summary>Null for what is no whole number.</summary>
    public static long? Number(JsonElement v) =>
        v.ValueKind == JsonValueKind.Number && v.TryGetInt64(out var n) || v.ValueKind == JsonValueKind.String && long.TryParse(v.GetString(), System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out n) ? n : null;

    private static Fault Bad(string name) => Fault.BadRequest($"Invalid input for field/attribute {name}: it must be an integer of -1 or more.");
}
