using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>Zones and services: https://docs.openstack.org/api-ref/block-storage/v3/#services-os-services</summary>
public static class Infrastructure
{
    private const string Services = "/v3/{project_id}/os-services";

    private static readonly (string Alias, string Name)[] Extensions =
    [
        ("os-admin-actions", "AdminActions"), ("os-availability-zone", "AvailabilityZones"), ("os-extended-snapshot-attributes", "ExtendedSnapshotAttributes"), ("os-hosts", "Hosts"), ("os-quota-sets", "Quotas"), ("os-quota-class-sets", "QuotaClasses"),
        ("os-services", "Services"), ("os-types-extra-specs", "TypesExtraSpecs"), ("os-types-manage", "TypesManage"), ("os-used-limits", "UsedLimits"), ("os-vol-host-attr", "VolumeHostAttribute"), ("os-vol-image-meta", "VolumeImageMetadata"),
        ("os-vol-tenant-attr", "VolumeTenantAttribute"), ("os-volume-actions", "VolumeActions"), ("os-volume-type-access", "VolumeTypeAccess"),
    ];

    public static readonly Route[] Routes =
    [
        new("GET", "/v3/{project_id}/extensions", "authenticated", _ => new(Reply.Object(200, w => w.Objects("extensions", Extensions, e =>
        {
            w.WriteString("alias", e.Alias);
            w.WriteString("name", e.Name);
            w.WriteString("description", e.Name);
            w.WriteString("updated", "2016-01-01T00:00:00+00:00");
            w.Strings("links", []);
        })))),
        new("GET", "/v3/{project_id}/os-hosts", "admin", async c =>
        {
            var hosts = (await Hosts.All(c.Services, c.Cancelled)).Where(h => (c.First("zone") ?? h.Capacity.Zone) == h.Capacity.Zone && (c.First("service") ?? "cinder-volume") == "cinder-volume");
            return Reply.Object(200, w => w.Objects("hosts", hosts, h =>
            {
                w.WriteString("host_name", h.Name + "@local");
                w.WriteString("service", "cinder-volume");
                w.WriteString("zone", h.Capacity.Zone);
                w.WriteString("service-status", Hosts.IsUp(c.Services, h) ? "available" : "unavailable");
                w.WriteString("service-state", h.Disabled ? "disabled" : "enabled");
                w.WriteString("last-update", BlockDialect.Value.Time(h.Seen));
            }));
        }),
        new("GET", "/v3/{project_id}/os-hosts/{host}", "admin", async c =>
        {
            var host = (await Hosts.All(c.Services, c.Cancelled)).FirstOrDefault(h => h.Name + "@local" == c.Args["host"]) ?? throw new Fault(404, $"Service {Volumes.Short(c.Args["host"])} could not be found.");
            var volumes = (await Volumes.Rows.Everywhere(c.Store, c.Cancelled)).Where(v => v.Host == host.Name).ToLookup(v => v.ProjectId, v => (long)(v.Size ?? 0));
            var snapshots = (await Snapshots.Rows.Everywhere(c.Store, c.Cancelled)).Where(s => s.Host == host.Name).ToLookup(s => s.ProjectId, s => (long)s.Size);
            var projects = volumes.Select(g => g.Key).Union(snapshots.Select(g => g.Key)).Order(StringComparer.Ordinal);
            return Reply.Object(200, w => w.Objects("host", projects.Prepend("(total)"), p => w.Object("resource", () =>
            {
                List<long> Of(ILookup<string, long> all) => [.. p == "(total)" ? all.SelectMany(g => g) : all[p]];
                w.WriteString("host", c.Args["host"]);
                w.WriteString("project", p);
                w.WriteString("volume_count", $"{Of(volumes).Count}");
                w.WriteString("total_volume_gb", $"{Of(volumes).Sum()}");
                w.WriteString("snapshot_count", $"{Of(snapshots).Count}");
                w.WriteString("total_snapshot_gb", $"{Of(snapshots).Sum()}");
            })));
        }),
        new("GET", "/v3/{project_id}/os-availability-zone", "authenticated", async c =>
        {
            var zones = (await Hosts.All(c.Services, c.Cancelled)).Select(h => h.Capacity.Zone).Append("nova").Distinct().Order(StringComparer.Ordinal);
            return Reply.Object(200, w => w.Objects("availabilityZoneInfo", zones, z => { w.WriteString("zoneName", z); w.Object("zoneState", () => w.WriteBoolean("available", true)); }));
        }),
        new("GET", Services, "admin", async c =>
        {
            var hosts = (await Hosts.All(c.Services, c.Cancelled)).Where(h => (c.First("host") is not { } x || x == h.Name || x == h.Name + "@local") && c.First("binary") is null or "cinder-volume");
            return Reply.Object(200, w => w.Objects("services", hosts, h =>
            {
                w.WriteString("binary", "cinder-volume");
                w.WriteString("host", h.Name + "@local");
                w.WriteString("zone", h.Capacity.Zone);
                w.WriteString("status", h.Disabled ? "disabled" : "enabled");
                w.WriteString("state", Hosts.IsUp(c.Services, h) ? "up" : "down");
                w.WriteString("updated_at", BlockDialect.Value.Time(h.Seen));
                w.WriteString("disabled_reason", h.DisabledReason);
                w.WriteString("replication_status", "disabled");
                w.WriteNull("active_backend_id");
                w.WriteBoolean("frozen", false);
                if (c.Version >= new ApiVersion(3, 49)) w.WriteString("backend_state", Hosts.IsUp(c.Services, h) ? "up" : "down");
            }));
        }),
        .. new[] { "failover_host", "get-log", "set-log" }.Select(a => Route.Missing("PUT", $"{Services}/{a}", "admin", Together)),
        .. new[] { "enable", "disable", "disable-log-reason", "freeze", "thaw" }.Select(a => Route.Missing("PUT", $"{Services}/{a}", "admin", Together) with { Run = c => Refuse(c, a) }),
    ];

    private const string Together = "A host's volumes go with its compute service: enable and disable that.";

    // What names nothing is told first.
    private static async ValueTask<Reply> Refuse(Call c, string action)
    {
        var (host, ofService) = (VolumeActions.Text(c.Json, "host"), action is not ("freeze" or "thaw"));
        if (host is null || (action == "disable-log-reason" && VolumeActions.Text(c.Json, "disabled_reason") is null)) throw Fault.BadRequest("Invalid input: host, and for disable-log-reason disabled_reason, must be there.");
        if (!(await Hosts.All(c.Services, c.Cancelled)).Any(h => host == h.Name || host == h.Name + "@local") || (ofService && VolumeActions.Text(c.Json, "binary") is not (null or "cinder-volume")))
            throw new Fault(ofService ? 404 : 400, $"Service {Volumes.Short(host)} could not be found.");
        throw new Fault(501, Together);
    }

    public static async ValueTask<bool> HasZone(Call c, string zone) => zone == "nova" || (await Hosts.All(c.Services, c.Cancelled)).Any(h => h.Capacity.Zone == zone);
}
