using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>
/// Security groups that name others as remote depend on all ports of those. It follows from the ports' events rather than from each
/// change itself: nothing is forgotten by a kill, and hundreds of ports made at once don't contend for their group's row.
/// </summary>
public static class Mates
{
    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (!e.Type.StartsWith("cloud.serverless.network.port.", StringComparison.Ordinal)) return;
        var data = e.Data;
        var (before, after) = (Port(data, "before"), Port(data, "after"));
        if (e.Type.EndsWith(".created", StringComparison.Ordinal)) before = null;
        var (project, regrouped) = ((after ?? before)!.ProjectId, before is null || after is null || !before.SecurityGroups.SequenceEqual(after.SecurityGroups));
        // It is a member of its groups for others, and its host must know the members of those that its own rules name.
        string[] member = regrouped || !before!.FixedIps.SequenceEqual(after!.FixedIps) ? [.. (before?.SecurityGroups ?? []).Union(after?.SecurityGroups ?? [])] : [];
        string[] naming = after is not null && Ports.Plugged(after) && (regrouped || before?.Host != after.Host) ? after.SecurityGroups : [];
        if (member.Length + naming.Length == 0) return;
        var all = await Tables.SecurityGroups.InProject(s.Store, project, ct);
        var concerned = all.Select(g => g.Id).Where(id => all.Any(g => g.Names(id) && (member.Contains(id) || naming.Contains(g.Id))));
        var change = new Change(data.GetProperty("actor").GetString()!, data.GetProperty("request_id").GetString()!);
        foreach (var id in concerned) await Memberships.Changed(s, project, id, change);
    }

    // Where it is stands apart from what tenants may read.
    private static Port? Port(JsonElement data, string side) => data.GetProperty(side) is { ValueKind: JsonValueKind.Object } json
        ? json.Deserialize<Port>(Json.Whole)! with { Host = data.GetProperty("operator").GetProperty(side).GetProperty("Host").GetString() ?? "" } : null;
}
