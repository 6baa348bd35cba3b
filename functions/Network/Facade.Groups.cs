using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>Security groups of servers, for compute's view of them.</summary>
public static partial class Facade
{
    public sealed record Group(string Id, string Name, string Description, IReadOnlyList<GroupRule> Rules);

    /// <param name="RemoteGroup">Name of the group whose members are let in, or null.</param>
    public sealed record GroupRule(string Id, string? Protocol, int? Min, int? Max, string? RemotePrefix, string? RemoteGroup);

    /// <summary>The groups of these ports, each once, with their rules for what comes in.</summary>
    public static async ValueTask<IReadOnlyList<Group>> GroupsOf(Services s, string project, IEnumerable<string> ports)
    {
        var all = (await Tables.SecurityGroups.InProject(s.Store, project)).ToDictionary(g => g.Id);
        return
        [
            .. (await Tables.Ports.GetMany(s.Store, project, ports)).SelectMany(p => p.SecurityGroups).Distinct().Where(all.ContainsKey).Select(id => all[id]).Select(g => new Group(g.Id, g.Name, g.Description,
                [.. g.Rules.Where(r => r.Direction == "ingress").Select(r => new GroupRule(r.Id, r.Protocol, r.PortRangeMin, r.PortRangeMax, r.RemoteIpPrefix, r.RemoteGroupId is { } remote ? all.GetValueOrDefault(remote)?.Name ?? remote : null))])),
        ];
    }

    /// <summary>Adds a group, named or by id, to all of a server's ports, or takes it away.</summary>
    /// <exception cref="Fault">404 when there is no such group, or none of the ports has it.</exception>
    public static async ValueTask ChangeGroup(Call c, string project, IEnumerable<string> ports, string name, bool add)
    {
        var s = c.Services;
        if (name == "default") await SecurityGroups.Default(s, project);
        var found = (await Tables.SecurityGroups.InProject(s.Store, project, c.Cancelled)).Where(g => g.Id == name || g.Name == name).ToList();
        if (found.Count != 1) throw found.Count == 0 ? new Fault(404, $"Security group {(name.Length > 60 ? "" : name)} not found.") : Fault.Conflict($"Multiple security groups found matching '{name}'. Use an ID to be more specific.");
        var (id, change, any) = (found[0].Id, Change.By(c), false);
        foreach (var port in ports)
            while (await Tables.Ports.Get(s.Store, project, port, c.Cancelled) is { Item: { Doomed: false, PortSecurityEnabled: true } } was && was.Item.SecurityGroups.Contains(id) != add)
                try
                {
                    any = true;
                    var item = was.Item with { SecurityGroups = add ? [.. was.Item.SecurityGroups, id] : [.. was.Item.SecurityGroups.Where(g => g != id)] };
                    await Ports.Sync.Begin(s, item, was, change, ct: c.Cancelled);
                    break;
                }
                catch (ConflictException) { /* it changed meanwhile: look again */ }
        if (!add && !any) throw new Fault(404, $"Security group {(name.Length > 60 ? "" : name)} is not associated with the instance.");
    }
}
