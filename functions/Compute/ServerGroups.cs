using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Security groups of a server: those of its ports, which networking keeps.</summary>
public static class ServerGroups
{
    public static readonly Route[] Routes =
    [
        Change("addSecurityGroup", add: true), Change("removeSecurityGroup", add: false),
        new("GET", "/v2.1/servers/{id}/os-security-groups", "compute:get", async c =>
        {
            var s = (await Servers.Kind.Load(c, "compute:get")).Item;
            var groups = await Network.Facade.GroupsOf(c.Services, s.ProjectId, s.Nics.Select(n => n.PortId));
            return Reply.Object(200, w => w.Objects("security_groups", groups, g =>
            {
                w.WriteString("id", g.Id);
                w.WriteString("name", g.Name);
                w.WriteString("description", g.Description);
                w.WriteString("tenant_id", s.ProjectId);
                w.Objects("rules", g.Rules, r =>
                {
                    w.WriteString("id", r.Id);
                    w.WriteString("parent_group_id", g.Id);
                    w.WriteString("ip_protocol", r.Protocol);
                    if (r.Min is { } min) w.WriteNumber("from_port", min); else w.WriteNull("from_port");
                    if (r.Max is { } max) w.WriteNumber("to_port", max); else w.WriteNull("to_port");
                    w.Object("group", () => { if (r.RemoteGroup is { } remote) { w.WriteString("name", remote); w.WriteString("tenant_id", s.ProjectId); } });
                    w.Object("ip_range", () => { if (r.RemoteGroup is null) w.WriteString("cidr", r.RemotePrefix ?? "0.0.0.0/0"); });
                });
            }));
        }),
    ];

    private static Route Change(string action, bool add) => new("POST", "/v2.1/servers/{id}/action", "compute:update", async c =>
    {
        var read = new BodyReader(c.Body(action));
        var name = read.Required("name", 255);
        read.NothingElse();
        var s = (await Servers.Kind.Load(c, "compute:update")).Item;
        ServerActions.Unlocked(c, s);
        if (s.LaunchedAt is null || s.Doomed) throw Fault.Conflict($"Cannot '{action}' instance {s.Id} while it is in vm_state {ServerView.VmState(s)}");
        await Network.Facade.ChangeGroup(c, s.ProjectId, s.Nics.Select(n => n.PortId), name, add);
        return Reply.Empty(202);
    })
    { Action = action };
}
