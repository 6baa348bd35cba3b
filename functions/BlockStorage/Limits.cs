using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>Limits and quotas: https://docs.openstack.org/api-ref/block-storage/v3/#quota-sets-extension-os-quota-sets</summary>
public static class Limits
{
    private const string Root = "/v3/{project_id}", Sets = Root + "/os-quota-sets/{id}", Class = Root + "/os-quota-class-sets/{id}";
    private static readonly (string Limit, string Used, string Name)[] Absolute =
    [
        ("maxTotalVolumes", "totalVolumesUsed", "volumes"), ("maxTotalSnapshots", "totalSnapshotsUsed", "snapshots"), ("maxTotalVolumeGigabytes", "totalGigabytesUsed", "gigabytes"),
        ("maxTotalBackups", "totalBackupsUsed", "backups"), ("maxTotalBackupGigabytes", "totalBackupGigabytesUsed", "backup_gigabytes"),
    ];

    public static readonly Route[] Routes =
    [
        new("GET", Root + "/limits", "authenticated", async c =>
        {
            // Since 3.39 an administrator may ask about another project.
            var project = c.First("project_id") is { Length: > 0 } other && c.Version >= new ApiVersion(3, 39) && c.Allows("volume:get_all_limits", default) ? other : c.ProjectId;
            var (limits, used) = (await Volumes.Quota.LimitsOf(c.Store, project), await Volumes.Quota.UsageOf(c.Store, project));
            return Reply.Object(200, w => w.Object("limits", () =>
            {
                w.Strings("rate", []);
                w.Object("absolute", () => { foreach (var a in Absolute) { w.WriteNumber(a.Limit, limits[a.Name]); w.WriteNumber(a.Used, used.GetValueOrDefault(a.Name)); } });
            }));
        }),
        new("GET", Sets, "volume:get_quota", async c => await QuotaSets.Show(c, Volumes.Quota, c.Args["id"], Lenient.Boolean(c.First("usage") ?? "false") == true)),
        new("GET", Sets + "/defaults", "volume:get_quota", c =>
        {
            c.Require("volume:get_quota", new(c.Args["id"]));
            return new(QuotaSets.Of(c.Args["id"], Volumes.Quota.Defaults));
        }),
        new("PUT", Sets, "volume:update_quota", async c =>
        {
            await QuotaSets.Set(c, Volumes.Quota, c.Args["id"]);
            return await QuotaSets.Show(c, Volumes.Quota, null, usage: false, of: c.Args["id"]);
        }),
        new("DELETE", Sets, "volume:update_quota", async c =>
        {
            await Volumes.Quota.Set(c.Store, c.Args["id"], null);
            return Reply.Empty(200);
        }),
        new("GET", Class, "admin", c => new(QuotaSets.Of(c.Args["id"], Volumes.Quota.Defaults, name: "quota_class_set"))),
        Route.Missing("PUT", Class, "admin", "Defaults are the same for all projects; set a project's own limits."),
    ];
}
