using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Limits and quotas: https://docs.openstack.org/api-ref/compute/#quota-sets-os-quota-sets</summary>
public static class Limits
{
    private const string Set = "/v2.1/os-quota-sets/{target}", Class = "/v2.1/os-quota-class-sets/{target}";
    private static readonly (string Wire, string Name)[] Most =
        [("maxTotalInstances", "instances"), ("maxTotalCores", "cores"), ("maxTotalRAMSize", "ram"), ("maxTotalKeypairs", "key_pairs"), ("maxServerMeta", "metadata_items"), ("maxServerGroups", "server_groups"), ("maxServerGroupMembers", "server_group_members")];
    // Networking's own, which Nova names up to 2.35 without knowing them.
    private static readonly string[] Networks = ["floating_ips", "fixed_ips", "security_groups", "security_group_rules"];

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.1/limits", "authenticated", Show),
        new("GET", Set, "compute:get_quota", c => Quota(c, usage: false)), new("GET", Set + "/detail", "compute:get_quota", c => Quota(c, usage: true)),
        new("GET", Set + "/defaults", "authenticated", c => new(QuotaSets.Of(c.Args["target"], With(c, Servers.Quota.Defaults)))),
        new("PUT", Set, "compute:update_quota", async c =>
        {
            await QuotaSets.Set(c, Servers.Quota, c.Args["target"], ignored: n => !c.From(36) && Networks.Contains(n), hidden: n => Hidden(c, n));
            return QuotaSets.Of(null, With(c, await Servers.Quota.LimitsOf(c.Store, c.Args["target"])));
        }),
        new("DELETE", Set, "compute:update_quota", async c => { await Servers.Quota.Set(c.Store, c.Args["target"], null); return Reply.Empty(202); }),
        new("GET", Class, "compute:update_quota", c => new(QuotaSets.Of(c.Args["target"], With(c, Servers.Quota.Defaults), name: "quota_class_set"))),
        Route.Missing("PUT", Class, "compute:update_quota", "Defaults are the same for all projects; set a project's own limits."),
    ];

    private static bool Hidden(Call c, string name) => name.StartsWith("injected", StringComparison.Ordinal) && c.From(57);

    private static Dictionary<string, long> With(Call c, IReadOnlyDictionary<string, long> limits)
    {
        var all = limits.Where(l => !Hidden(c, l.Key)).ToDictionary();
        if (!c.From(36)) foreach (var name in Networks) all[name] = -1;
        return all;
    }

    private static async ValueTask<Reply> Quota(Call c, bool usage)
    {
        var project = c.Args["target"];
        if (project != c.User?.ProjectId) c.Require("admin", default);
        return QuotaSets.Of(project, With(c, await Servers.Quota.LimitsOf(c.Store, project)), usage ? await Servers.Quota.UsageOf(c.Store, project) : null);
    }

    private static async ValueTask<Reply> Show(Call c)
    {
        var project = c.First("tenant_id") is { Length: > 0 } other && other != c.User?.ProjectId ? other : c.ProjectId;
        if (project != c.User?.ProjectId) c.Require("admin", default);
        var (limits, used) = (await Servers.Quota.LimitsOf(c.Store, project), await Servers.Quota.UsageOf(c.Store, project));
        return Reply.Object(200, w => w.Object("limits", () =>
        {
            w.Strings("rate", []);
            w.Object("absolute", () =>
            {
                foreach (var (wire, name) in Most) w.WriteNumber(wire, limits[name]);
                if (!c.From(39)) w.WriteNumber("maxImageMeta", limits["metadata_items"]);
                if (!c.From(57))
                {
                    w.WriteNumber("maxPersonality", limits["injected_files"]);
                    w.WriteNumber("maxPersonalitySize", limits["injected_file_content_bytes"]);
                }
                if (!c.From(36))
                {
                    foreach (var name in (string[])["maxTotalFloatingIps", "maxSecurityGroups", "maxSecurityGroupRules"]) w.WriteNumber(name, -1);
                    foreach (var name in (string[])["totalFloatingIpsUsed", "totalSecurityGroupsUsed"]) w.WriteNumber(name, 0);
                }
                w.WriteNumber("totalInstancesUsed", used["instances"]);
                w.WriteNumber("totalCoresUsed", used["cores"]);
                w.WriteNumber("totalRAMUsed", used["ram"]);
                w.WriteNumber("totalServerGroupsUsed", 0);
            });
        }));
    }
}
