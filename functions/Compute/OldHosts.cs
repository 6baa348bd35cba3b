using Cloud.Placement;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>What showed hosts before os-services and os-hypervisors did, up to 2.42: https://docs.openstack.org/api-ref/compute/#hosts-os-hosts-deprecated</summary>
public static class OldHosts
{
    private const string Path = "/v2.1/os-hosts", One = Path + "/{host}";

    public static readonly Route[] Routes =
    [
        new("GET", Path, "admin", async c =>
        {
            var hosts = (await Hosts.All(c.Services, c.Cancelled)).Where(h => c.First("zone") is not { Length: > 0 } zone || h.Capacity.Zone == zone);
            return Reply.Object(200, w => w.Objects("hosts", hosts, h =>
            {
                w.WriteString("host_name", h.Name);
                w.WriteString("service", "compute");
                w.WriteString("zone", h.Capacity.Zone);
            }));
        }) { Until = "2.42" },
        new("GET", One, "admin", Show) { Until = "2.42" }, new("PUT", One, "admin", Update) { Until = "2.42" },
        .. new[] { "reboot", "shutdown", "startup" }.Select(a => Route.Missing("GET", $"{One}/{a}", "admin", Power) with { Until = "2.42", Run = async c => { await Find(c); throw new Fault(501, Power); } }),
    ];

    private const string Power = "This cloud doesn't switch machines on and off.";

    private static async ValueTask<HostRow> Find(Call c) =>
        (await Hosts.All(c.Services, c.Cancelled)).FirstOrDefault(h => h.Name == c.Args["host"]) ?? throw new Fault(404, $"Compute host {(c.Args["host"].Length > 60 ? "" : c.Args["host"])} could not be found.");

    private static async ValueTask<Reply> Show(Call c)
    {
        var host = await Find(c);
        var held = await Placement.Facade.Of(c.Store, host.Name);
        var used = held.Aggregate(new Resources(0, 0, 0), (sum, a) => sum + a.Resources);
        List<(string Project, Resources Resources)> all = [("(total)", new(host.Capacity.Vcpus, host.Capacity.MemoryMiB, host.Capacity.DiskGiB)), ("(used_now)", used), ("(used_max)", used)];
        all.AddRange(held.GroupBy(a => a.ProjectId, a => a.Resources).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, g.Aggregate((a, b) => a + b))));
        return Reply.Object(200, w => w.Objects("host", all, x => w.Object("resource", () =>
        {
            w.WriteString("host", host.Name);
            w.WriteString("project", x.Project);
            w.WriteNumber("cpu", x.Resources.Vcpus);
            w.WriteNumber("memory_mb", x.Resources.MemoryMiB);
            w.WriteNumber("disk_gb", x.Resources.DiskGiB);
        })));
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var read = BodyReader.Of(c.Json);
        var (status, maintenance) = (read.Text("status", 10), read.Text("maintenance_mode", 10));
        read.NothingElse();
        foreach (var (name, value) in ((string, string?)[])[("status", status), ("maintenance_mode", maintenance)])
            if (value is not (null or "enable" or "disable")) throw Fault.BadRequest($"Invalid input for field/attribute {name}: it must be enable or disable.");
        if ((status ?? maintenance) is null) throw Fault.BadRequest("Invalid input: status or maintenance_mode must be there.");
        var host = await Find(c);
        if (maintenance is not null) throw new Fault(501, "Hosts have no maintenance mode here; disable them.");
        await Hosts.Set(c.Services, host.Name, h => h with { Disabled = status == "disable", DisabledReason = null });
        return Reply.Object(200, w => { w.WriteString("host", host.Name); w.WriteString("status", status + "d"); });
    }
}
