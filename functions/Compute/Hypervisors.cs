using System.Text.Json;
using Cloud.Placement;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>https://docs.openstack.org/api-ref/compute/#hypervisors-os-hypervisors</summary>
public static class Hypervisors
{
    private const string Path = "/v2.1/os-hypervisors";

    /// <param name="Servers">Those on it; null when nobody asked.</param>
    private sealed record Shown(HostRow Host, Resources Used, IReadOnlyList<Server>? Servers);

    public static readonly Route[] Routes =
    [
        new("GET", Path, "admin", c => List(c, detail: false)), new("GET", Path + "/detail", "admin", c => List(c, detail: true)),
        new("GET", Path + "/statistics", "admin", Statistics) { Until = "2.87" },
        new("GET", Path + "/{host}", "admin", async c =>
        {
            var shown = await Show(c, await Find(c), WithServers(c));
            return Reply.Object(200, w => w.Object("hypervisor", () => Write(w, c, shown, detail: true)));
        }),
        // How long a host has been up is nothing its agent says.
        new("GET", Path + "/{host}/uptime", "admin", async c => { await Find(c); throw new Fault(501, "Virt driver does not implement uptime function."); }) { Until = "2.87" },
        new("GET", Path + "/{host}/search", "admin", async c => Many(c, await Matching(c, c.Args["host"], false), detail: false)) { Until = "2.52" },
        new("GET", Path + "/{host}/servers", "admin", async c => Many(c, await Matching(c, c.Args["host"], true), detail: false)) { Until = "2.52" },
    ];

    private static bool WithServers(Call c) => c.From(53) && c.First("with_servers") is { } asked && (Lenient.Boolean(asked) ?? throw Fault.BadRequest("Invalid input for query parameters with_servers."));

    private static async ValueTask<HostRow> Find(Call c) =>
        (await Hosts.All(c.Services)).FirstOrDefault(h => c.From(53) ? h.Id == c.Args["host"] : ComputeDialect.Number(h.Id).ToString(System.Globalization.CultureInfo.InvariantCulture) == c.Args["host"])
            ?? throw new Fault(404, $"Hypervisor with ID '{(c.Args["host"].Length > 60 ? "" : c.Args["host"])}' could not be found.");

    private static async ValueTask<List<Shown>> Matching(Call c, string pattern, bool servers)
    {
        var all = new List<Shown>();
        foreach (var h in await Hosts.All(c.Services))
            if (h.Name.Contains(pattern, StringComparison.Ordinal)) all.Add(await Show(c, h, servers));
        return all.Count > 0 ? all : throw new Fault(404, $"No hypervisor matching '{(pattern.Length > 60 ? "" : pattern)}' could be found.");
    }

    private static async ValueTask<Shown> Show(Call c, HostRow h, bool servers) => new(h, (await Placement.Facade.Used(c.Store, h.Name)).Used,
        servers ? [.. (await Servers.Rows.Everywhere(c.Store, c.Cancelled)).Where(s => s.Host == h.Name)] : null);

    private static async ValueTask<Reply> List(Call c, bool detail)
    {
        if (c.From(53) && c.First("hypervisor_hostname_pattern") is { } pattern)
            return c.First("limit") is not null || c.First("marker") is not null ? throw Fault.BadRequest("Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.") : Many(c, await Matching(c, pattern, WithServers(c)), detail);
        var hosts = (await Hosts.All(c.Services)).OrderBy(h => h.Id, StringComparer.Ordinal).ToList();
        var limit = ComputeDialect.Value.MaxLimit;
        if (c.From(33))
        {
            if (c.First("limit") is { } text) limit = int.TryParse(text, System.Globalization.NumberStyles.None, null, out var n) ? Math.Min(n, limit) : throw Fault.BadRequest("Invalid input for query parameters limit.");
            if (c.First("marker") is { Length: > 0 } marker) hosts = hosts[((hosts.FindIndex(h => h.Id == marker || ComputeDialect.Number(h.Id).ToString(System.Globalization.CultureInfo.InvariantCulture) == marker) is >= 0 and var at ? at : throw Fault.BadRequest("marker not found")) + 1)..];
        }
        var all = new List<Shown>();
        foreach (var h in hosts.Take(limit)) all.Add(await Show(c, h, WithServers(c)));
        return Many(c, all, detail, c.From(33) ? new("hypervisors", limit, hosts.Count > limit && limit > 0, all.FirstOrDefault()?.Host.Id, all.LastOrDefault()?.Host.Id) : null);
    }

    private static Reply Many(Call c, IReadOnlyList<Shown> all, bool detail, Page? page = null) => Reply.Object(200, w =>
    {
        w.Objects("hypervisors", all, x => Write(w, c, x, detail));
        if (page is not null) ComputeDialect.Value.Links(w, c, page);
    });

    private static void Write(Utf8JsonWriter w, Call c, Shown shown, bool detail)
    {
        var h = shown.Host;
        Id(w, c, h);
        w.WriteString("hypervisor_hostname", h.Name);
        w.WriteString("state", Hosts.IsUp(c.Services, h) ? "up" : "down");
        w.WriteString("status", h.Disabled ? "disabled" : "enabled");
        if (detail) Detail(w, c, h, shown.Used);
        // Up to 2.74 the member is left out when there are none.
        if (shown.Servers is { } servers && (servers.Count > 0 || c.From(75))) w.Objects("servers", servers, s => { w.WriteString("name", Agents.Contract.Names.Domain(s.Id)); w.WriteString("uuid", s.Id); });
    }

    private static void Id(Utf8JsonWriter w, Call c, HostRow h)
    {
        if (c.From(53)) w.WriteString("id", h.Id); else w.WriteNumber("id", ComputeDialect.Number(h.Id));
    }

    private static void Detail(Utf8JsonWriter w, Call c, HostRow h, Resources used)
    {
        var version = h.Capacity.HypervisorVersion.Split('.').Select(p => int.TryParse(p, out var n) ? n : 0).Concat([0, 0, 0]).Take(3).ToArray();
        w.WriteString("hypervisor_type", h.Capacity.HypervisorType);
        w.WriteNumber("hypervisor_version", (version[0] * 1_000_000) + (version[1] * 1000) + version[2]);
        w.WriteString("host_ip", h.Capacity.TunnelAddress.Length > 0 ? h.Capacity.TunnelAddress : "127.0.0.1");
        w.Object("service", () =>
        {
            Id(w, c, h);
            w.WriteString("host", h.Name);
            w.WriteString("disabled_reason", h.DisabledReason);
        });
        if (c.From(88))
        {
            w.WriteNull("uptime");
            return;
        }
        Numbers(w, [(h, used)]);
        if (c.From(28)) w.Object("cpu_info", () => { if (h.Capacity.CpuModel.Length > 0) w.WriteString("model", h.Capacity.CpuModel); });
        else w.WriteString("cpu_info", h.Capacity.CpuModel.Length > 0 ? JsonSerializer.Serialize(new Dictionary<string, string> { ["model"] = h.Capacity.CpuModel }) : "");
    }

    private static void Numbers(Utf8JsonWriter w, IReadOnlyList<(HostRow Host, Resources Used)> all)
    {
        long Sum(Func<HostCapacityOf, long> of) => all.Sum(x => of(new(x.Host.Capacity, x.Used)));
        w.WriteNumber("vcpus", Sum(x => x.Has.Vcpus));
        w.WriteNumber("vcpus_used", Sum(x => x.Used.Vcpus));
        w.WriteNumber("memory_mb", Sum(x => x.Has.MemoryMiB));
        w.WriteNumber("memory_mb_used", Sum(x => x.Used.MemoryMiB));
        w.WriteNumber("free_ram_mb", Sum(x => x.Has.MemoryMiB - x.Used.MemoryMiB));
        w.WriteNumber("local_gb", Sum(x => x.Has.DiskGiB));
        w.WriteNumber("local_gb_used", Sum(x => x.Used.DiskGiB));
        w.WriteNumber("free_disk_gb", Sum(x => x.Has.DiskGiB - x.Used.DiskGiB));
        w.WriteNumber("disk_available_least", Sum(x => x.Has.DiskGiB - x.Used.DiskGiB));
        w.WriteNumber("running_vms", Sum(x => x.Has.RunningGuests));
        w.WriteNumber("current_workload", 0);
    }

    private readonly record struct HostCapacityOf(Agents.Contract.HostCapacity Has, Resources Used);

    private static async ValueTask<Reply> Statistics(Call c)
    {
        var all = new List<(HostRow, Resources)>();
        foreach (var h in await Hosts.All(c.Services)) all.Add((h, (await Placement.Facade.Used(c.Store, h.Name)).Used));
        return Reply.Object(200, w => w.Object("hypervisor_statistics", () =>
        {
            w.WriteNumber("count", all.Count);
            Numbers(w, all);
        }));
    }
}
