using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#security-groups-security-groups</summary>
public static class SecurityGroups
{
    /// <summary>Makes the hosts of its ports true to its rules.</summary>
    public static readonly Saga<SecurityGroup> Sync = Saga<SecurityGroup>.Named("security-group-sync-1", Tables.SecurityGroups)
        .Insist()
        .Agent("ports", async w =>
        {
            var (s, batch) = (w.Services, new Specs.Batch());
            var commands = (await Specs.Members(s, w.Item.ProjectId, w.Item.Rules.Select(r => r.RemoteGroupId).OfType<string>(), batch)).ToList();
            foreach (var p in await batch.Ports(s, w.Item.ProjectId))
                // One port that can't be described must not keep the rules from the others.
                if (Ports.Plugged(p) && !p.Doomed && p.SecurityGroups.Contains(w.Item.Id) && await batch.Network(s, p) is not null) commands.Add(await Specs.Ensure(s, p, batch));
            return await batch.Up(s, commands);
        });

    public static readonly Kind<SecurityGroup> Kind = new(Tables.SecurityGroups, "security_groups", "/v2.0/security-groups", NetworkDialect.Value)
    {
        Sees = "network:get_security_group", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.SecurityGroups, g => [new("security_group", 1), new("security_group_rule", g.Rules.Length)]), NetworkDialect.Over),
        Check = (c, d) =>
        {
            if (d.Old is null && d.Item.Name == "default") throw new Fault(409, "Default security group already exists.") { Kind = "SecurityGroupDefaultAlreadyExists" };
            if (d.Old is { Name: "default" } && d.Item.Name != "default") throw new Fault(409, "Updating default security group not allowed.") { Kind = "SecurityGroupCannotUpdateDefault" };
            if (d.Old is null) d.Item = d.Item.WithRules([Allow(c.Services, "egress", "IPv4", null), Allow(c.Services, "egress", "IPv6", null)]);
            return ValueTask.CompletedTask;
        },
        CheckDelete = async (c, d) =>
        {
            if (d.Item.Name == "default" && !c.Allows("network:delete_default_group", default)) throw new Fault(409, "Removing default security group not allowed.") { Kind = "SecurityGroupCannotRemoveDefault" };
            if ((await Tables.Ports.InProject(c.Store, d.Item.ProjectId, c.Cancelled)).Any(p => !p.Doomed && p.SecurityGroups.Contains(d.Item.Id))) throw new Fault(409, $"Security Group {d.Item.Id} in use.") { Kind = "SecurityGroupInUse" };
            if (d.Item.Name == "default") d.Ops.Add(new Op.Delete(DefaultKey));
        },
        Extend = (w, _, g, _) =>
        {
            w.WriteStartArray("security_group_rules");
            foreach (var r in g.Rules) SecurityRules.Write(w, g, r);
            w.WriteEndArray();
            w.WriteBoolean("shared", false);
        },
    };

    private static readonly Route Listed = Lists.Of(Kind, "network:get_security_groups");

    private const string DefaultKey = "default-security-group";

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/security-groups", "network:get_security_groups", async c =>
        {
            if (c.User?.ProjectId is { } project) await Default(c.Services, project);
            return await Listed.Run(c);
        }),
        Bulk.Create(Kind, "network:create_security_group", "network:delete_security_group"), Kind.Show("network:get_security_group"), Kind.Update("network:update_security_group"), Kind.Delete("network:delete_security_group"),
    ];

    internal static SecurityRule Allow(Services s, string direction, string ethertype, string? remoteGroup) => new(s.Ids.New(), direction, ethertype, null, null, null, null, remoteGroup, "", s.Now);

    /// <summary>A project's default group: everything out, and everything in from its own members. Made when first needed.</summary>
    public static async ValueTask<SecurityGroup> Default(Services s, string projectId)
    {
        while (true)
        {
            if (await s.Store.Get(projectId, DefaultKey) is { } row && await Tables.SecurityGroups.Get(s.Store, projectId, System.Text.Encoding.UTF8.GetString(row.Body.Span)) is { } there) return there.Item;
            var id = s.Ids.New();
            var group = new SecurityGroup { Id = id, ProjectId = projectId, Name = "default", Description = "Default security group", CreatedAt = s.Now }.WithRules(
                [Allow(s, "egress", "IPv4", null), Allow(s, "egress", "IPv6", null), Allow(s, "ingress", "IPv4", id), Allow(s, "ingress", "IPv6", id)]);
            try { return await Tables.SecurityGroups.Save(s, group, null, new("system", ""), [new Op.Insert(DefaultKey, System.Text.Encoding.UTF8.GetBytes(id))]); }
            catch (ConflictException) { /* somebody else made it */ }
        }
    }

    /// <summary>A project is gone: so is its default group, which nobody made and nobody would delete.</summary>
    public static async Task OnEvent(Services s, Event gone, CancellationToken ct)
    {
        if (gone.Type != "cloud.serverless.identity.project.deleted" || await s.Store.Get(gone.Subject, DefaultKey, ct) is not { } row) return;
        if ((await Tables.Ports.InProject(s.Store, gone.Subject, ct)).Count > 0) return;
        if (await Tables.SecurityGroups.Get(s.Store, gone.Subject, System.Text.Encoding.UTF8.GetString(row.Body.Span), ct) is { } there)
            await Tables.SecurityGroups.Remove(s, there, new("system", ""), [new Op.Delete(DefaultKey)], ct: ct);
    }
}
