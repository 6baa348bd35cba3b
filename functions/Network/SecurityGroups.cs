using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#security-groups-security-groups</summary>
public static class SecurityGroups
{
    /// <summary>Makes the hosts of all its ports true to its rules.</summary>
    public static readonly Saga<SecurityGroup> Sync = Saga<SecurityGroup>.Named("security-group-sync-1", Tables.SecurityGroups)
        .Insist()
        .Agent("ports", async w =>
        {
            var commands = new List<HostCommand>();
            foreach (var p in await Tables.Ports.InProject(w.Store, w.Item.ProjectId))
                if (Ports.Plugged(p) && !p.Doomed && p.SecurityGroups.Contains(w.Item.Id) && !await Platform.Agents.Hosts.IsDown(w.Services, p.Host)) commands.Add(await Specs.Ensure(w.Services, p));
            return commands;
        });

    public static readonly Kind<SecurityGroup> Kind = new(Tables.SecurityGroups, "security_groups", "/v2.0/security-groups", NetworkDialect.Value)
    {
        Sees = "network:get_security_group", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.SecurityGroups, g => [new("security_group", 1), new("security_group_rule", g.Rules.Length)]), NetworkDialect.Over),
        Check = (c, d) =>
        {
            if (d.Old is null && d.Item.Name == "default") throw new Fault(409, "Default security group already exists.") { Kind = "SecurityGroupDefaultAlreadyExists" };
            if (d.Old is { Name: "default" } && d.Item.Name != "default") throw new Fault(409, "Updating default security group not allowed.") { Kind = "SecurityGroupCannotUpdateDefault" };
            if (d.Old is null) d.Item = d.Item with { Rules = [Allow(c.Services, "egress", "IPv4", null), Allow(c.Services, "egress", "IPv6", null)] };
            return ValueTask.CompletedTask;
        },
        CheckDelete = async (c, d) =>
        {
            if (d.Item.Name == "default" && !c.Caller.Has("admin")) throw new Fault(409, "Removing default security group not allowed.") { Kind = "SecurityGroupCannotRemoveDefault" };
            if ((await Tables.Ports.InProject(c.Store, d.Item.ProjectId, c.Cancelled)).Any(p => p.SecurityGroups.Contains(d.Item.Id))) throw new Fault(409, $"Security Group {d.Item.Id} in use.") { Kind = "SecurityGroupInUse" };
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

    private const string DefaultKey = "default-security-group";

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/security-groups", "network:get_security_groups", async c =>
        {
            if (c.User?.ProjectId is { } project) await Default(c.Services, project);
            var (items, page) = await Kind.Select(c, "network:get_security_groups");
            return Kind.Page1(c, items, page);
        }),
        Kind.Create("network:create_security_group"), Kind.Show("network:get_security_group"), Kind.Update("network:update_security_group"), Kind.Delete("network:delete_security_group"),
    ];

    internal static SecurityRule Allow(Services s, string direction, string ethertype, string? remoteGroup) => new(s.Ids.New(), direction, ethertype, null, null, null, null, remoteGroup, "", s.Now);

    /// <summary>A project's default group: everything out, and everything in from its own members. Made when first needed.</summary>
    public static async ValueTask<SecurityGroup> Default(Services s, string projectId)
    {
        while (true)
        {
            if (await s.Store.Get(projectId, DefaultKey) is { } row && await Tables.SecurityGroups.Get(s.Store, projectId, System.Text.Encoding.UTF8.GetString(row.Body.Span)) is { } there) return there.Item;
            var id = s.Ids.New();
            var group = new SecurityGroup
            {
                Id = id, ProjectId = projectId, Name = "default", Description = "Default security group", CreatedAt = s.Now,
                Rules = [Allow(s, "egress", "IPv4", null), Allow(s, "egress", "IPv6", null), Allow(s, "ingress", "IPv4", id), Allow(s, "ingress", "IPv6", id)],
            };
            try { return await Tables.SecurityGroups.Save(s, group, null, new("system", ""), [new Op.Insert(DefaultKey, System.Text.Encoding.UTF8.GetBytes(id))]); }
            catch (ConflictException) { /* somebody else made it */ }
        }
    }

    /// <summary>A port of these groups came, went or changed its addresses: rules that name the groups as remote must follow.</summary>
    public static async ValueTask MembersChanged(Services s, string project, IReadOnlyList<string> groups, Change change)
    {
        var all = await Tables.SecurityGroups.InProject(s.Store, project);
        foreach (var id in all.Where(g => g.Rules.Any(r => r.RemoteGroupId is { } remote && groups.Contains(remote))).Select(g => g.Id))
            while (await Tables.SecurityGroups.Get(s.Store, project, id) is { } was)
            {
                try
                {
                    var item = was.Item with { Members = was.Item.Members + 1 };
                    // One that hasn't begun will see this change as well.
                    if (was.Item.Saga is { } saga && await s.Store.Get(project, SagaRow.KeyOf(saga)) is { } row && Json.Read<SagaRow>(row.Body) is { Step: 0, Waiting.Length: 0 })
                        await Tables.SecurityGroups.Save(s, item, was, change);
                    else await Sync.Begin(s, item, was, change, after: TimeSpan.FromMilliseconds(250));
                    break;
                }
                catch (ConflictException) { /* it changed meanwhile */ }
            }
    }
}

/// <summary>https://docs.openstack.org/api-ref/network/v2/#security-group-rules-security-group-rules</summary>
public static class SecurityRules
{
    private static readonly HashSet<string> Known = ["security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id", "remote_address_group_id", "description", "tenant_id", "project_id"];

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/security-group-rules", "network:get_security_group_rules", async c =>
        {
            var groups = c.Caller.Has("admin") ? await Tables.SecurityGroups.Everywhere(c.Store, c.Cancelled) : await Tables.SecurityGroups.InProject(c.Store, c.ProjectId, c.Cancelled);
            bool Is(string key, string? value) => c.First(key) is not { Length: > 0 } wanted || wanted == value;
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("security_group_rules");
                foreach (var g in groups)
                    foreach (var r in g.Rules)
                        if (Is("security_group_id", g.Id) && Is("id", r.Id) && Is("direction", r.Direction) && Is("ethertype", r.Ethertype) && Is("protocol", r.Protocol) && Is("remote_ip_prefix", r.RemoteIpPrefix) && Is("remote_group_id", r.RemoteGroupId) && Is("project_id", g.ProjectId) && Is("tenant_id", g.ProjectId))
                            Write(w, g, r);
                w.WriteEndArray();
                w.WriteEndObject();
            });
        }),
        new("POST", "/v2.0/security-group-rules", "network:create_security_group_rule", Create),
        new("GET", "/v2.0/security-group-rules/{id}", "network:get_security_group_rule", async c => { var (g, r) = await Find(c); return One(200, g, r); }),
        new("DELETE", "/v2.0/security-group-rules/{id}", "network:delete_security_group_rule", async c =>
        {
            var (group, rule) = await Find(c);
            c.Args["id"] = group.Id;
            await SecurityGroups.Kind.Change(c, "network:update_security_group", d => d.Item = d.Item with { Rules = [.. d.Item.Rules.Where(r => r.Id != rule.Id)] }, SecurityGroups.Sync);
            return Reply.Empty(204);
        }),
    ];

    private static async ValueTask<Reply> Create(Call c)
    {
        var body = c.Body("security_group_rule");
        foreach (var p in body.EnumerateObject())
            if (!Known.Contains(p.Name)) throw new Fault(400, $"Unrecognized attribute(s) '{p.Name}'") { Kind = "HTTPBadRequest" };
        string? Text(string name) => !body.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? null
            : v.ValueKind == JsonValueKind.String ? (v.GetString() is { Length: > 0 } s ? s : null) : v.ValueKind == JsonValueKind.Number ? v.GetRawText() : throw Fault.BadRequest($"Invalid input for {name}.");
        int? Number(string name) => Text(name) is not { } t ? null : int.TryParse(t, out var n) && n is >= -1 and <= 65535 ? n : throw new Fault(400, $"Invalid value for {name}: {(t.Length > 20 ? t[..20] : t)}") { Kind = "SecurityGroupRuleInvalidPortValue" };
        var rule = new SecurityRule(c.Services.Ids.New(), Text("direction") ?? "", Text("ethertype") ?? "IPv4", Text("protocol")?.ToLowerInvariant(), Number("port_range_min"), Number("port_range_max"),
            Text("remote_ip_prefix"), Text("remote_group_id"), Text("description") ?? "", c.Now);
        if (rule.PortRangeMin == -1) rule = rule with { PortRangeMin = null };
        if (rule.PortRangeMax == -1) rule = rule with { PortRangeMax = null };
        rule = Checked(rule, Text("remote_address_group_id"));
        var groupId = Text("security_group_id") ?? throw Fault.BadRequest("Failed to parse request. Required attribute 'security_group_id' not specified.");
        var found = await Tables.SecurityGroups.Find(c.Store, groupId, c.User?.ProjectId, c.Cancelled);
        if (found is null || !c.Allows("network:get_security_group", new(found.Item.ProjectId))) throw Fault.NotFound("security group", groupId);
        if (rule.RemoteGroupId is { } remote && await Tables.SecurityGroups.Get(c.Store, found.Item.ProjectId, remote, c.Cancelled) is null) throw Fault.NotFound("security group", remote);
        var limit = (await Tables.Quota.LimitsOf(c.Store, found.Item.ProjectId))["security_group_rule"];
        c.Args["id"] = groupId;
        var group = await SecurityGroups.Kind.Change(c, "network:update_security_group", d =>
        {
            if (d.Item.Rules.FirstOrDefault(r => r with { Id = rule.Id, CreatedAt = rule.CreatedAt, Description = rule.Description } == rule) is { } same)
                throw new Fault(409, $"Security group rule already exists. Rule id is {same.Id}.") { Kind = "SecurityGroupRuleExists" };
            if (limit >= 0 && d.Item.Rules.Length >= limit) throw NetworkDialect.Over("security_group_rule", 1, d.Item.Rules.Length, limit);
            d.Item = d.Item with { Rules = [.. d.Item.Rules, rule] };
        }, SecurityGroups.Sync);
        return One(201, group, rule);
    }

    private static SecurityRule Checked(SecurityRule r, string? addressGroup)
    {
        if (r.Direction is not ("ingress" or "egress")) throw Fault.BadRequest($"Invalid input for direction. Reason: it must be ingress or egress.");
        if (r.Ethertype is not ("IPv4" or "IPv6")) throw Fault.BadRequest("Invalid input for ethertype. Reason: it must be IPv4 or IPv6.");
        if (addressGroup is not null) throw Fault.BadRequest("Address groups are not offered.");
        if (r.RemoteIpPrefix is not null && r.RemoteGroupId is not null) throw new Fault(400, "Only remote_ip_prefix or remote_group_id may be provided.") { Kind = "SecurityGroupMultipleRemoteEntites" };
        Protocols.Check(r.Protocol);
        if (r.RemoteIpPrefix is { } prefix)
        {
            var cidr = Addresses.ParseCidr(prefix.Contains('/', StringComparison.Ordinal) ? prefix : prefix + (prefix.Contains(':', StringComparison.Ordinal) ? "/128" : "/32"), "remote_ip_prefix");
            if (cidr.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 != (r.Ethertype == "IPv6")) throw new Fault(400, $"Conflicting value ethertype {r.Ethertype} for CIDR {prefix}") { Kind = "SecurityGroupRuleParameterConflict" };
            r = r with { RemoteIpPrefix = cidr.ToString() };
        }
        if (r.PortRangeMin is null && r.PortRangeMax is null) return r;
        if (Protocols.Number(r.Protocol) is not { } protocol) throw new Fault(400, "Must also specify protocol if port range is given.") { Kind = "SecurityGroupProtocolRequiredWithPorts" };
        if (protocol is 1 or 58)
        {
            if (r.PortRangeMin is not (>= 0 and <= 255) || r.PortRangeMax is > 255) throw new Fault(400, "Invalid value for ICMP type or code: it must be 0 to 255.") { Kind = "SecurityGroupInvalidIcmpValue" };
        }
        else if (protocol is not (6 or 17 or 33 or 132 or 136)) throw new Fault(400, $"Port range can't be given for protocol {r.Protocol}.") { Kind = "SecurityGroupInvalidProtocolForPort" };
        else if (r.PortRangeMin is not >= 1 || r.PortRangeMax is not >= 1 || r.PortRangeMin > r.PortRangeMax) throw new Fault(400, "For TCP/UDP protocols, port_range_min must be <= port_range_max") { Kind = "SecurityGroupInvalidPortRange" };
        return r;
    }

    private static async ValueTask<(SecurityGroup, SecurityRule)> Find(Call c)
    {
        var groups = c.Caller.Has("admin") ? await Tables.SecurityGroups.Everywhere(c.Store, c.Cancelled) : await Tables.SecurityGroups.InProject(c.Store, c.ProjectId, c.Cancelled);
        foreach (var g in groups)
            foreach (var r in g.Rules)
                if (r.Id == c.Args["id"]) return (g, r);
        throw new Fault(404, $"Security group rule {c.Args["id"]} does not exist") { Kind = "SecurityGroupRuleNotFound" };
    }

    private static Reply One(int status, SecurityGroup g, SecurityRule r) => Reply.Of(status, w =>
    {
        w.WriteStartObject();
        w.WritePropertyName("security_group_rule");
        Write(w, g, r);
        w.WriteEndObject();
    });

    internal static void Write(Utf8JsonWriter w, SecurityGroup g, SecurityRule r)
    {
        void Int(string name, int? v) { if (v is { } n) w.WriteNumber(name, n); else w.WriteNull(name); }
        w.WriteStartObject();
        w.WriteString("id", r.Id);
        w.WriteString("project_id", g.ProjectId);
        w.WriteString("tenant_id", g.ProjectId);
        w.WriteString("security_group_id", g.Id);
        w.WriteString("direction", r.Direction);
        w.WriteString("ethertype", r.Ethertype);
        w.WriteString("protocol", r.Protocol);
        Int("port_range_min", r.PortRangeMin);
        Int("port_range_max", r.PortRangeMax);
        w.WriteString("remote_ip_prefix", r.RemoteIpPrefix);
        w.WriteString("normalized_cidr", r.RemoteIpPrefix);
        w.WriteString("remote_group_id", r.RemoteGroupId);
        w.WriteNull("remote_address_group_id");
        w.WriteString("description", r.Description);
        w.WriteString("created_at", NetworkDialect.Value.Time(r.CreatedAt));
        w.WriteString("updated_at", NetworkDialect.Value.Time(r.CreatedAt));
        w.WriteNumber("revision_number", 0);
        w.WriteStartArray("tags");
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
