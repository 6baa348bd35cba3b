using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>Cinder's API, version 3 with microversions 3.0 to 3.70.</summary>
public static class Api
{
    private const string Root = "/v3/{project_id}";

    public static readonly Slice Slice = new("volume", "volumev3,block-storage", BlockDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Version(c, 300))), new("GET", "/v3", Policy.Anyone, c => new(Version(c, 200))),
        .. Volumes.Routes, .. Snapshots.Routes, .. VolumeTypes.Routes,
        new("GET", Root + "/limits", "authenticated", Limits),
        new("GET", Root + "/os-quota-sets/{id}", "volume:get_quota", c => Quota(c)),
        new("GET", Root + "/os-quota-sets/{id}/defaults", "volume:get_quota", c => new(Write(c, Volumes.Quota.Defaults, null))),
        new("PUT", Root + "/os-quota-sets/{id}", "volume:update_quota", async c =>
        {
            var limits = new Dictionary<string, long>();
            foreach (var p in c.Body("quota_set").EnumerateObject())
            {
                if (p.Name is "tenant_id" or "force") continue;
                if (!Volumes.Quota.Defaults.ContainsKey(p.Name)) throw Fault.BadRequest($"Invalid input: unknown quota {p.Name}.");
                limits[p.Name] = p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt64(out var n) && n >= -1 ? n : throw Fault.BadRequest($"Invalid input for {p.Name}.");
            }
            await Volumes.Quota.Set(c.Store, c.Args["id"], limits);
            return await Quota(c);
        }),
        new("DELETE", Root + "/os-quota-sets/{id}", "volume:update_quota", async c =>
        {
            await Volumes.Quota.Set(c.Store, c.Args["id"], null);
            return Reply.Empty(200);
        }),
        new("GET", Root + "/os-availability-zone", "authenticated", _ => new(Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("availabilityZoneInfo");
            w.WriteStartObject();
            w.WriteString("zoneName", "nova");
            w.WriteStartObject("zoneState");
            w.WriteBoolean("available", true);
            w.WriteEndObject();
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
        }))),
        new("GET", Root + "/os-services", "admin", async c =>
        {
            var hosts = await Hosts.All(c.Services, c.Cancelled);
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("services");
                foreach (var h in hosts)
                {
                    w.WriteStartObject();
                    w.WriteString("binary", "cinder-volume");
                    w.WriteString("host", h.Name + "@local");
                    w.WriteString("zone", h.Capacity.Zone);
                    w.WriteString("status", h.Disabled ? "disabled" : "enabled");
                    w.WriteString("state", Hosts.IsUp(c.Services, h) ? "up" : "down");
                    w.WriteString("updated_at", BlockDialect.Value.Time(h.Seen));
                    w.WriteString("disabled_reason", h.DisabledReason);
                    w.WriteEndObject();
                }
                w.WriteEndArray();
                w.WriteEndObject();
            });
        }),
        .. Empty("/extensions", "extensions"), .. Empty("/backups", "backups"), .. Empty("/backups/detail", "backups"), .. Empty("/attachments", "attachments"), .. Empty("/group_types", "group_types"),
        Route.Missing("POST", Root + "/backups", "volume:create", "Backups are not offered."), Route.Missing("POST", Root + "/attachments", "volume:create", "Attach through the compute service."),
        Route.Missing("POST", Root + "/volume-transfers", "volume:create", "Transfers are not offered."),
    ])
    {
        CatalogName = "cinder", CatalogPath = "/v3/{project_id}",
        Sagas = [Volumes.Creation, Volumes.Extension, Volumes.Removal, Snapshots.Creation, Snapshots.Removal],
        Owners = [new("disk", Holds, id => new RemoveDisk(id))],
        Leftovers = [Volumes.Rows.Pointers, Snapshots.Rows.Pointers],
        OnStart = VolumeTypes.Bootstrap,
    };

    // Servers' own disks have the same prefix; compute answers for them.
    private static async ValueTask<bool> Holds(Services s, string host, string id) =>
        (await Volumes.Rows.Find(s.Store, id))?.Item is { Doomed: false } v && v.Host == host || (await Snapshots.Rows.Find(s.Store, id))?.Item is { Doomed: false } p && p.Host == host;

    private static Route[] Empty(string path, string name) =>
        [new("GET", Root + path, "authenticated", _ => new(Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray(name); w.WriteEndArray(); w.WriteEndObject(); })))];

    private static Reply Version(Call c, int status) => Reply.Of(status, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("versions");
        w.WriteStartObject();
        w.WriteString("id", "v3.0");
        w.WriteString("status", "CURRENT");
        w.WriteString("version", "3.70");
        w.WriteString("min_version", "3.0");
        w.WriteString("updated", "2022-10-05T00:00:00Z");
        w.WriteStartArray("links");
        w.WriteStartObject();
        w.WriteString("rel", "self");
        w.WriteString("href", c.BaseUrl + "/v3/");
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteStartArray("media-types");
        w.WriteEndArray();
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteEndObject();
    });

    private static async ValueTask<Reply> Limits(Call c)
    {
        var (limits, used) = (await Volumes.Quota.LimitsOf(c.Store, c.ProjectId), await Volumes.Quota.UsageOf(c.Store, c.ProjectId));
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("limits");
            w.WriteStartArray("rate");
            w.WriteEndArray();
            w.WriteStartObject("absolute");
            foreach (var (name, key) in new[] { ("Volumes", "volumes"), ("Snapshots", "snapshots"), ("VolumeGigabytes", "gigabytes"), ("Backups", "backups"), ("BackupGigabytes", "backup_gigabytes") })
            {
                w.WriteNumber("maxTotal" + name, limits[key]);
                w.WriteNumber(name == "VolumeGigabytes" ? "totalGigabytesUsed" : $"total{name}Used", used.GetValueOrDefault(key));
            }
            w.WriteEndObject();
            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    private static async ValueTask<Reply> Quota(Call c)
    {
        var id = c.Args["id"];
        if (id != c.User?.ProjectId) c.Require("admin", default);
        return Write(c, await Volumes.Quota.LimitsOf(c.Store, id), c.First("usage") is "True" or "true" ? await Volumes.Quota.UsageOf(c.Store, id) : null);
    }

    private static Reply Write(Call c, IReadOnlyDictionary<string, long> limits, Dictionary<string, long>? used) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartObject("quota_set");
        w.WriteString("id", c.Args["id"]);
        foreach (var (k, v) in limits)
        {
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
