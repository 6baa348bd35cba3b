using System.Text.Json;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>The limits of a service of our own, to be read by those whom they bind and set by operators: <c>{"quotas": {"webhooks": {"limit": 20, "used": 3}}}</c>.</summary>
public static class OwnQuotas
{
    /// <param name="get">Policy of those who read their own project's; <paramref name="set"/> of those who read and set anybody's.</param>
    public static Route[] Of(Quota quota, string get, string set) =>
    [
        new("GET", "/v1/quotas", get, async c =>
        {
            OwnService.OnlyKnows(c, "project_id");
            var project = c.First("project_id") ?? c.ProjectId;
            if (project != c.User?.ProjectId) c.Require(set, default);
            return await Shown(c, quota, project);
        }),
        new("PUT", "/v1/quotas/{project_id}", set, async c =>
        {
            await quota.Set(c.Store, c.Args["project_id"], Limits(c.Json, quota));
            return await Shown(c, quota, c.Args["project_id"]);
        }),
        new("DELETE", "/v1/quotas/{project_id}", set, async c =>
        {
            await quota.Set(c.Store, c.Args["project_id"], null);
            return Reply.Empty(204);
        }),
    ];

    private static Dictionary<string, long> Limits(JsonElement body, Quota quota)
    {
        var fault = Fault.BadRequest($"The body must be {{\"quotas\": {{NAME: N}}}} with numbers from -1 (no limit) on; names are {string.Join(", ", quota.Defaults.Keys)}.");
        if (body.ValueKind != JsonValueKind.Object || body.EnumerateObject().Count() != 1 || !body.TryGetProperty("quotas", out var wanted) || wanted.ValueKind != JsonValueKind.Object) throw fault;
        var limits = new Dictionary<string, long>();
        foreach (var p in wanted.EnumerateObject())
            if (!quota.Defaults.ContainsKey(p.Name) || p.Value.ValueKind != JsonValueKind.Number || !p.Value.TryGetInt32(out var n) || n < -1 || !limits.TryAdd(p.Name, n)) throw fault;
        return limits;
    }

    private static async ValueTask<Reply> Shown(Call c, Quota quota, string project)
    {
        var (limits, used) = (await quota.LimitsOf(c.Store, project), await quota.UsageOf(c.Store, project));
        return Reply.Object(200, w =>
        {
            w.WriteStartObject("quotas");
            foreach (var (name, limit) in limits)
            {
                w.WriteStartObject(name);
                w.WriteNumber("limit", limit);
                w.WriteNumber("used", used.GetValueOrDefault(name));
                w.WriteEndObject();
            }
            w.WriteEndObject();
        });
    }
}
