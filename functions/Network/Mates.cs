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
        var (before, after) = (Port(data.GetProperty("before")), Port(data.GetProperty("after")));
        if (e.Type.EndsWith(".created", StringComparison.Ordinal)) before = null;
        if (before is not null && after is not null && before.SecurityGroups.SequenceEqual(after.SecurityGroups) && before.FixedIps.SequenceEqual(after.FixedIps)) return;
        var change = new Change(data.GetProperty("actor").GetString()!, data.GetProperty("request_id").GetString()!);
        var groups = (before?.SecurityGroups ?? []).Union(after?.SecurityGroups ?? []).ToList();
        if (groups.Count > 0) await SecurityGroups.MembersChanged(s, (after ?? before)!.ProjectId, groups, change);
    }

    private static Port? Port(JsonElement json) => json.ValueKind == JsonValueKind.Object ? json.Deserialize<Port>(Json.Stored) : null;
}
