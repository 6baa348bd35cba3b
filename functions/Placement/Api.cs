using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Placement;

/// <summary>Placement's API, read side: https://docs.openstack.org/api-ref/placement/</summary>
public static class Api
{
    private static readonly Dialect Dialect = new("placement")
    {
        Microversions = new("placement", new(1, 0), new(1, 39)),
        Error = (c, f) => Reply.Of(f.Status, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("errors");
            w.WriteStartObject();
            w.WriteNumber("status", f.Status);
            w.WriteString("title", f.Status switch { 400 => "Bad Request", 401 => "Unauthorized", 403 => "Forbidden", 404 => "Not Found", 405 => "Method Not Allowed", 406 => "Not Acceptable", _ => "Error" });
            w.WriteString("detail", f.Message);
            w.WriteString("request_id", c.RequestId);
            w.WriteString("code", f.Kind ?? "placement.undefined_code");
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
        }),
    };

    public static readonly Slice Slice = new("placement", "placement", Dialect,
    [
        new("GET", "/", Policy.Anyone, c => Object(w =>
        {
            w.WriteStartArray("versions");
            w.WriteStartObject();
            w.WriteString("id", "v1.0");
            w.WriteString("status", "CURRENT");
            w.WriteString("min_version", "1.0");
            w.WriteString("max_version", "1.39");
            w.WriteStartArray("links");
            w.WriteStartObject();
            w.WriteString("rel", "self");
            w.WriteString("href", "");
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
            w.WriteEndArray();
        })),
        new("GET", "/resource_providers", "admin", async c =>
        {
            var hosts = (await Hosts.All(c.Services)).Where(h => c.First("name") is not { } n || n == h.Name).Where(h => c.First("uuid") is not { } u || u == h.Id).ToList();
            var generations = new Dictionary<string, long>();
            foreach (var h in hosts) generations[h.Name] = (await Facade.Used(c.Store, h.Name)).Generation;
            return await Object(w =>
            {
                w.WriteStartArray("resource_providers");
                foreach (var h in hosts) { w.WriteStartObject(); Provider(w, h, generations[h.Name]); w.WriteEndObject(); }
                w.WriteEndArray();
            });
        }),
        new("GET", "/resource_providers/{id}", "admin", async c => { var (h, g) = await Host(c); return await Object(w => Provider(w, h, g)); }),
        new("GET", "/resource_providers/{id}/inventories", "admin", async c =>
        {
            var (h, g) = await Host(c);
            return await Object(w =>
            {
                w.WriteNumber("resource_provider_generation", g);
                w.WriteStartObject("inventories");
                foreach (var (name, total, ratio) in new[] { ("VCPU", h.Capacity.Vcpus, Facade.CpuRatio), ("MEMORY_MB", h.Capacity.MemoryMiB, 1), ("DISK_GB", h.Capacity.DiskGiB, 1) })
                {
                    w.WriteStartObject(name);
                    w.WriteNumber("total", total);
                    w.WriteNumber("reserved", 0);
                    w.WriteNumber("min_unit", 1);
                    w.WriteNumber("max_unit", total);
                    w.WriteNumber("step_size", 1);
                    w.WriteNumber("allocation_ratio", ratio);
                    w.WriteEndObject();
                }
                w.WriteEndObject();
            });
        }),
        new("GET", "/resource_providers/{id}/usages", "admin", async c =>
        {
            var (h, g) = await Host(c);
            var used = (await Facade.Used(c.Store, h.Name)).Used;
            return await Object(w => { w.WriteNumber("resource_provider_generation", g); w.WritePropertyName("usages"); Amounts(w, used); });
        }),
        new("GET", "/resource_providers/{id}/allocations", "admin", async c =>
        {
            var (h, g) = await Host(c);
            var all = await Facade.Of(c.Store, h.Name);
            return await Object(w =>
            {
                w.WriteNumber("resource_provider_generation", g);
                w.WriteStartObject("allocations");
                foreach (var a in all) { w.WriteStartObject(a.Consumer); w.WritePropertyName("resources"); Amounts(w, a.Resources); w.WriteEndObject(); }
                w.WriteEndObject();
            });
        }),
        new("GET", "/resource_providers/{id}/traits", "admin", async c => { var (_, g) = await Host(c); return await Object(w => { w.WriteStartArray("traits"); w.WriteEndArray(); w.WriteNumber("resource_provider_generation", g); }); }),
        new("GET", "/resource_providers/{id}/aggregates", "admin", async c => { var (_, g) = await Host(c); return await Object(w => { w.WriteStartArray("aggregates"); w.WriteEndArray(); w.WriteNumber("resource_provider_generation", g); }); }),
        new("GET", "/allocations/{consumer}", "admin", async c =>
        {
            var found = new List<(HostRow Host, long Generation, Allocation A)>();
            foreach (var h in await Hosts.All(c.Services))
                if ((await Facade.Of(c.Store, h.Name)).FirstOrDefault(a => a.Consumer == c.Args["consumer"]) is { } a) found.Add((h, (await Facade.Used(c.Store, h.Name)).Generation, a));
            return await Object(w =>
            {
                w.WriteStartObject("allocations");
                foreach (var (h, g, a) in found) { w.WriteStartObject(h.Id); w.WriteNumber("generation", g); w.WritePropertyName("resources"); Amounts(w, a.Resources); w.WriteEndObject(); }
                w.WriteEndObject();
                if (found.Count == 0) return;
                w.WriteString("project_id", found[0].A.ProjectId);
                w.WriteString("user_id", found[0].A.UserId);
            });
        }),
        new("GET", "/resource_classes", "admin", _ => Object(w =>
        {
            w.WriteStartArray("resource_classes");
            foreach (var name in (string[])["VCPU", "MEMORY_MB", "DISK_GB"]) { w.WriteStartObject(); w.WriteString("name", name); w.WriteStartArray("links"); w.WriteEndArray(); w.WriteEndObject(); }
            w.WriteEndArray();
        })),
        new("GET", "/traits", "admin", _ => Object(w => { w.WriteStartArray("traits"); w.WriteEndArray(); })),
        Route.Missing("POST", "/resource_providers", "admin", "Providers are the cloud's hosts; they are not made by hand."),
        Route.Missing("GET", "/allocation_candidates", "admin", "Scheduling happens within the compute service."),
    ])
    { CatalogName = "placement" };

    private static async ValueTask<(HostRow, long)> Host(Call c)
    {
        var h = (await Hosts.All(c.Services)).FirstOrDefault(h => h.Id == c.Args["id"]) ?? throw new Fault(404, $"No resource provider with uuid {c.Args["id"]} found");
        return (h, (await Facade.Used(c.Store, h.Name)).Generation);
    }

    private static void Provider(Utf8JsonWriter w, HostRow h, long generation)
    {
        w.WriteString("uuid", h.Id);
        w.WriteString("name", h.Name);
        w.WriteNumber("generation", generation);
        w.WriteString("root_provider_uuid", h.Id);
        w.WriteNull("parent_provider_uuid");
        w.WriteStartArray("links");
        w.WriteEndArray();
    }

    private static void Amounts(Utf8JsonWriter w, Resources r)
    {
        w.WriteStartObject();
        w.WriteNumber("VCPU", r.Vcpus);
        w.WriteNumber("MEMORY_MB", r.MemoryMiB);
        w.WriteNumber("DISK_GB", r.DiskGiB);
        w.WriteEndObject();
    }

    private static ValueTask<Reply> Object(Action<Utf8JsonWriter> body) => new(Reply.Of(200, w => { w.WriteStartObject(); body(w); w.WriteEndObject(); }));
}
