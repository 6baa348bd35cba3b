using System.Text.Json;
using Cloud.Placement;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Hypervisors, services, zones, limits and quotas.</summary>
public static class Infrastructure
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v2.1/os-availability-zone", "authenticated", c => Zones(c, false)), new("GET", "/v2.1/os-availability-zone/detail", "admin", c => Zones(c, true)),
        new("GET", "/v2.1/os-hypervisors", "admin", c => Hypervisors(c, false)), new("GET", "/v2.1/os-hypervisors/detail", "admin", c => Hypervisors(c, true)),
        new("GET", "/v2.1/os-hypervisors/statistics", "admin", Statistics), new("GET", "/v2.1/os-hypervisors/{host}", "admin", Hypervisor),
        new("GET", "/v2.1/os-services", "admin", Services), new("PUT", "/v2.1/os-services/{service}", "admin", SetService) { Since = "2.53" },
        new("GET", "/v2.1/limits", "authenticated", Limits),
        new("GET", "/v2.1/os-quota-sets/{target}", "compute:get_quota", c => Quota(c)), new("GET", "/v2.1/os-quota-sets/{target}/detail", "compute:get_quota", c => Quota(c, true)),
        new("GET", "/v2.1/os-quota-sets/{target}/defaults", "compute:get_quota", c => new(Write(c, Servers.Quota.Defaults, null))),
        new("PUT", "/v2.1/os-quota-sets/{target}", "compute:update_quota", SetQuota),
        new("DELETE", "/v2.1/os-quota-sets/{target}", "compute:update_quota", async c => { await Servers.Quota.Set(c.Store, c.Args["target"], null); return Reply.Empty(202); }),
        new("GET", "/v2.1/os-server-groups", "compute:get_all", _ => Empty("server_groups")), new("GET", "/v2.1/os-aggregates", "admin", _ => Empty("aggregates")),
        new("GET", "/v2.1/extensions", "authenticated", _ => Empty("extensions")), new("GET", "/v2.1/os-migrations", "admin", _ => Empty("migrations")),
        new("GET", "/v2.1/os-simple-tenant-usage", "admin", _ => Empty("tenant_usages")),
        new("GET", "/v2.1/servers/{id}/os-instance-actions", "compute:get", async c => { await Servers.Kind.Load(c, "compute:get"); return await Empty("instanceActions"); }),
        Route.Missing("POST", "/v2.1/os-server-groups", "compute:create", "Server groups are not offered."), Route.Missing("POST", "/v2.1/os-aggregates", "admin", "Aggregates are not offered."),
        Route.Missing("POST", "/v2.1/servers/{id}/remote-consoles", "compute:console", "Remote consoles are not offered; read the console output."),
    ];

    private static ValueTask<Reply> Empty(string name) => new(Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray(name); w.WriteEndArray(); w.WriteEndObject(); }));

    private static async ValueTask<Reply> Zones(Call c, bool detail)
    {
        var hosts = await Hosts.All(c.Services);
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("availabilityZoneInfo");
            foreach (var zone in hosts.GroupBy(h => h.Capacity.Zone))
            {
                w.WriteStartObject();
                w.WriteString("zoneName", zone.Key);
                w.WriteStartObject("zoneState");
                w.WriteBoolean("available", zone.Any(h => Hosts.IsUp(c.Services, h)));
                w.WriteEndObject();
                w.WritePropertyName("hosts");
                if (!detail) w.WriteNullValue();
                else
                {
                    w.WriteStartObject();
                    foreach (var h in zone)
                    {
                        w.WriteStartObject(h.Name);
                        w.WriteStartObject("nova-compute");
                        w.WriteBoolean("active", !h.Disabled);
                        w.WriteBoolean("available", Hosts.IsUp(c.Services, h));
                        w.WriteString("updated_at", h.Seen.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.000000", null));
                        w.WriteEndObject();
                        w.WriteEndObject();
                    }
                    w.WriteEndObject();
                }
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteEndObject();
        });
    }

    private static async ValueTask<Reply> Hypervisors(Call c, bool detail)
    {
        var all = new List<(HostRow, Resources)>();
        foreach (var h in await Hosts.All(c.Services))
            if (c.First("hypervisor_hostname_pattern") is not { } p || h.Name.Contains(p, StringComparison.Ordinal)) all.Add((h, (await Placement.Facade.Used(c.Store, h.Name)).Used));
        return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("hypervisors"); foreach (var (h, used) in all) One(w, c, h, used, detail); w.WriteEndArray(); w.WriteEndObject(); });
    }

    private static async ValueTask<Reply> Hypervisor(Call c)
    {
        var h = (await Hosts.All(c.Services)).FirstOrDefault(h => h.Id == c.Args["host"] || h.Name == c.Args["host"]) ?? throw new Fault(404, $"Hypervisor with ID '{c.Args["host"]}' could not be found.");
        var used = (await Placement.Facade.Used(c.Store, h.Name)).Used;
        return Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("hypervisor"); One(w, c, h, used, true); w.WriteEndObject(); });
    }

    private static void One(Utf8JsonWriter w, Call c, HostRow h, Resources used, bool detail)
    {
        var up = Hosts.IsUp(c.Services, h);
        w.WriteStartObject();
        if (c.From(53)) w.WriteString("id", h.Id); else w.WriteNumber("id", 1);
        w.WriteString("hypervisor_hostname", h.Name);
        w.WriteString("state", up ? "up" : "down");
        w.WriteString("status", h.Disabled ? "disabled" : "enabled");
        if (detail)
        {
            w.WriteString("hypervisor_type", h.Capacity.HypervisorType);
            w.WriteNumber("hypervisor_version", 0);
            w.WriteString("host_ip", h.Capacity.TunnelAddress.Length > 0 ? h.Capacity.TunnelAddress : "127.0.0.1");
            w.WriteStartObject("service");
            w.WriteString("id", h.Id);
            w.WriteString("host", h.Name);
            w.WriteString("disabled_reason", h.DisabledReason);
            w.WriteEndObject();
            if (!c.From(88))
            {
                w.WriteNumber("vcpus", h.Capacity.Vcpus);
                w.WriteNumber("vcpus_used", used.Vcpus);
                w.WriteNumber("memory_mb", h.Capacity.MemoryMiB);
                w.WriteNumber("memory_mb_used", used.MemoryMiB);
                w.WriteNumber("free_ram_mb", h.Capacity.MemoryMiB - used.MemoryMiB);
                w.WriteNumber("local_gb", h.Capacity.DiskGiB);
                w.WriteNumber("local_gb_used", used.DiskGiB);
                w.WriteNumber("free_disk_gb", h.Capacity.DiskGiB - used.DiskGiB);
                w.WriteNumber("disk_available_least", h.Capacity.DiskGiB - used.DiskGiB);
                w.WriteNumber("running_vms", h.Capacity.RunningGuests);
                w.WriteNumber("current_workload", 0);
                w.WriteString("cpu_info", "");
            }
            else w.WriteNull("uptime");
            if (c.From(75)) { w.WriteStartArray("servers"); w.WriteEndArray(); }
        }
        w.WriteEndObject();
    }

    private static async ValueTask<Reply> Statistics(Call c)
    {
        var hosts = await Hosts.All(c.Services);
        var used = new Resources(0, 0, 0);
        foreach (var h in hosts) used += (await Placement.Facade.Used(c.Store, h.Name)).Used;
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("hypervisor_statistics");
            w.WriteNumber("count", hosts.Count);
            w.WriteNumber("vcpus", hosts.Sum(h => h.Capacity.Vcpus));
            w.WriteNumber("vcpus_used", used.Vcpus);
            w.WriteNumber("memory_mb", hosts.Sum(h => (long)h.Capacity.MemoryMiB));
            w.WriteNumber("memory_mb_used", used.MemoryMiB);
            w.WriteNumber("free_ram_mb", hosts.Sum(h => (long)h.Capacity.MemoryMiB) - used.MemoryMiB);
            w.WriteNumber("local_gb", hosts.Sum(h => (long)h.Capacity.DiskGiB));
            w.WriteNumber("local_gb_used", used.DiskGiB);
            w.WriteNumber("free_disk_gb", hosts.Sum(h => (long)h.Capacity.DiskGiB) - used.DiskGiB);
            w.WriteNumber("disk_available_least", hosts.Sum(h => (long)h.Capacity.DiskGiB) - used.DiskGiB);
            w.WriteNumber("running_vms", hosts.Sum(h => h.Capacity.RunningGuests));
            w.WriteNumber("current_workload", 0);
            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    private static async ValueTask<Reply> Services(Call c)
    {
        var hosts = (await Hosts.All(c.Services)).Where(h => c.First("host") is not { } x || x == h.Name);
        return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("services"); foreach (var h in hosts) Service(w, c, h); w.WriteEndArray(); w.WriteEndObject(); });
    }

    private static async ValueTask<Reply> SetService(Call c)
    {
        var host = (await Hosts.All(c.Services)).FirstOrDefault(h => h.Id == c.Args["service"]) ?? throw new Fault(404, $"Service {c.Args["service"]} could not be found.");
        var read = new BodyReader(c.Json.ValueKind == JsonValueKind.Object ? c.Json : throw Fault.BadRequest("The body must be an object."));
        var (status, reason) = (read.Text("status", 10), read.Text("disabled_reason", 255));
        read.Flag("forced_down");
        read.NothingElse();
        if (status is not (null or "enabled" or "disabled")) throw Fault.BadRequest("Invalid input for field/attribute status.");
        var now = await Hosts.Set(c.Services, host.Name, h => h with { Disabled = status is null ? h.Disabled : status == "disabled", DisabledReason = status == "disabled" ? reason : null });
        return Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("service"); Service(w, c, now!); w.WriteEndObject(); });
    }

    private static void Service(Utf8JsonWriter w, Call c, HostRow h)
    {
        w.WriteStartObject();
        if (c.From(53)) w.WriteString("id", h.Id); else w.WriteNumber("id", 1);
        w.WriteString("binary", "nova-compute");
        w.WriteString("host", h.Name);
        w.WriteString("zone", h.Capacity.Zone);
        w.WriteString("status", h.Disabled ? "disabled" : "enabled");
        w.WriteString("state", Hosts.IsUp(c.Services, h) ? "up" : "down");
        w.WriteString("updated_at", h.Seen.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.000000", null));
        w.WriteString("disabled_reason", h.DisabledReason);
        if (c.From(11)) w.WriteBoolean("forced_down", false);
        w.WriteEndObject();
    }

    private static async ValueTask<Reply> Limits(Call c)
    {
        var (limits, used) = (await Servers.Quota.LimitsOf(c.Store, c.ProjectId), await Servers.Quota.UsageOf(c.Store, c.ProjectId));
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("limits");
            w.WriteStartArray("rate");
            w.WriteEndArray();
            w.WriteStartObject("absolute");
            foreach (var (name, key) in new[] { ("maxTotalInstances", "instances"), ("maxTotalCores", "cores"), ("maxTotalRAMSize", "ram"), ("maxTotalKeypairs", "key_pairs"), ("maxServerMeta", "metadata_items"), ("maxServerGroups", "server_groups"), ("maxServerGroupMembers", "server_group_members") })
                w.WriteNumber(name, limits[key]);
            if (!c.From(39)) w.WriteNumber("maxImageMeta", 128);
            if (!c.From(57)) { w.WriteNumber("maxPersonality", 5); w.WriteNumber("maxPersonalitySize", 10240); }
            w.WriteNumber("totalInstancesUsed", used["instances"]);
            w.WriteNumber("totalCoresUsed", used["cores"]);
            w.WriteNumber("totalRAMUsed", used["ram"]);
            w.WriteNumber("totalServerGroupsUsed", 0);
            w.WriteEndObject();
            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    private static async ValueTask<Reply> Quota(Call c, bool detail = false)
    {
        var id = c.Args["target"];
        if (id != c.User?.ProjectId) c.Require("admin", default);
        return Write(c, await Servers.Quota.LimitsOf(c.Store, id), detail ? await Servers.Quota.UsageOf(c.Store, id) : null);
    }

    private static async ValueTask<Reply> SetQuota(Call c)
    {
        var limits = new Dictionary<string, long>();
        foreach (var p in c.Body("quota_set").EnumerateObject())
        {
            if (p.Name is "force" or "tenant_id") continue;
            if (p.Name is "floating_ips" or "fixed_ips" or "security_groups" or "security_group_rules" && !c.From(36)) continue;
            if (!Servers.Quota.Defaults.ContainsKey(p.Name)) throw Fault.BadRequest($"Additional properties are not allowed ('{p.Name}' was unexpected)");
            limits[p.Name] = p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt64(out var n) && n >= -1 ? n : throw Fault.BadRequest($"Invalid input for field/attribute {p.Name}.");
        }
        await Servers.Quota.Set(c.Store, c.Args["target"], limits);
        return await Quota(c);
    }

    private static Reply Write(Call c, IReadOnlyDictionary<string, long> limits, Dictionary<string, long>? used) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartObject("quota_set");
        w.WriteString("id", c.Args["target"]);
        foreach (var (k, v) in limits)
        {
            if (k.StartsWith("injected", StringComparison.Ordinal) && c.From(57)) continue;
            if (used is null) { w.WriteNumber(k, v); continue; }
            w.WriteStartObject(k);
            w.WriteNumber("limit", v);
            w.WriteNumber("in_use", used.GetValueOrDefault(k));
            w.WriteNumber("reserved", 0);
            w.WriteEndObject();
        }
        w.WriteEndObject();
        w.WriteEndObject();
    });
}
