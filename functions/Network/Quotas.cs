using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#quotas-extension-quotas</summary>
public static class Quotas
{
    private const string One = "/v2.0/quotas/{project}";

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/quotas", "network:update_quota", async c =>
        {
            // Only projects whose limits were set are listed.
            var set = new List<(string Project, IReadOnlyDictionary<string, long> Limits)>();
            foreach (var project in await Tables.Quota.Projects(c.Store, c.Cancelled)) set.Add((project, await Tables.Quota.LimitsOf(c.Store, project)));
            return Reply.Object(200, w => w.Objects("quotas", set, q =>
            {
                foreach (var (k, v) in q.Limits) w.WriteNumber(k, v);
                w.WriteString("project_id", q.Project);
                w.WriteString("tenant_id", q.Project);
            }));
        }),
        new("GET", One, "network:get_quota", c => Show(c)),
        new("GET", One + "/default", "network:get_quota", c => { Mine(c); return new(Write(Tables.Quota.Defaults)); }),
        new("GET", One + "/details", "network:get_quota", Details), new("GET", One + "/details.json", "network:get_quota", Details),
        new("PUT", One, "network:update_quota", async c =>
        {
            var limits = new Dictionary<string, long>();
            var check = false;
            foreach (var p in c.Body("quota").EnumerateObject())
            {
                if (p.Name is "tenant_id" or "project_id" or "force") continue;
                if (p.Name == "check_limit") { check = Lenient.Boolean(p.Value) ?? throw Fault.BadRequest("Invalid input for check_limit."); continue; }
                if (!Tables.Quota.Defaults.ContainsKey(p.Name)) throw Fault.BadRequest($"Unrecognized attribute(s) '{(p.Name.Length > 60 ? p.Name[..60] : p.Name)}'");
                limits[p.Name] = QuotaSets.Number(p.Value) is { } n && n is >= -1 and <= int.MaxValue ? n : throw Fault.BadRequest($"Invalid input for {p.Name}. Reason: it must be an integer of -1 or more.");
            }
            if (check)
            {
                var used = await Tables.Quota.UsageOf(c.Store, c.Args["project"]);
                foreach (var (name, limit) in limits)
                    if (limit >= 0 && used.GetValueOrDefault(name) > limit) throw new Fault(400, $"Quota limit for {name} must be greater than or equal to already used {used[name]}.") { Kind = "InvalidQuotaValue" };
            }
            await Tables.Quota.Set(c.Store, c.Args["project"], limits);
            return await Show(c);
        }),
        new("DELETE", One, "network:update_quota", async c =>
        {
            await Tables.Quota.Set(c.Store, c.Args["project"], null);
            return Reply.Empty(204);
        }),
    ];

    private static void Mine(Call c)
    {
        if (c.Args["project"] != c.User?.ProjectId) c.Require("admin", default);
    }

    private static async ValueTask<Reply> Details(Call c)
    {
        Mine(c);
        var (limits, used) = (await Tables.Quota.LimitsOf(c.Store, c.Args["project"]), await Tables.Quota.UsageOf(c.Store, c.Args["project"]));
        return Reply.Object(200, w => w.Object("quota", () =>
        {
            foreach (var (k, v) in limits)
                w.Object(k, () => { w.WriteNumber("limit", v); w.WriteNumber("used", used.GetValueOrDefault(k)); w.WriteNumber("reserved", 0); });
        }));
    }

    private static async ValueTask<Reply> Show(Call c)
    {
        Mine(c);
        return Write(await Tables.Quota.LimitsOf(c.Store, c.Args["project"]));
    }

    private static Reply Write(IReadOnlyDictionary<string, long> limits) => Reply.Object(200, w => w.Object("quota", () => { foreach (var (k, v) in limits) w.WriteNumber(k, v); }));
}
