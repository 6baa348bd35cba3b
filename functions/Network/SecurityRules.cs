using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#security-group-rules-security-group-rules</summary>
public static class SecurityRules
{
    private static readonly HashSet<string> Known = ["security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id", "remote_address_group_id", "description", "tenant_id", "project_id"];

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/security-group-rules", "network:get_security_group_rules", async c =>
        {
            if (c.User?.ProjectId is { } project) await SecurityGroups.Default(c.Services, project);
            var groups = c.Allows("network:see_all", default) ? await Tables.SecurityGroups.Everywhere(c.Store, c.Cancelled) : await Tables.SecurityGroups.InProject(c.Store, c.ProjectId, c.Cancelled);
            var (rules, page) = Paged(c, groups.SelectMany(g => g.Rules.Select(r => (Group: g, Rule: r))).Where(x => Wanted(c, x.Group, x.Rule)));
            return Reply.Object(200, w =>
            {
                w.Array("security_group_rules", rules, x => Write(w, x.Group, x.Rule, c));
                NetworkDialect.Value.Links(w, c, page);
            });
        }),
        new("POST", "/v2.0/security-group-rules", "network:create_security_group_rule", async c =>
        {
            if (Bulk.Several(c, "security_group_rules") is not { } bodies)
            {
                var (g, r) = await Create(c, c.Body("security_group_rule"));
                return One(c, 201, g, r);
            }
            var made = await Bulk.All(bodies, body => Create(c, body), x => Remove(c, x.Group.Id, x.Rule.Id));
            return Reply.Object(201, w => w.Array("security_group_rules", made, x => Write(w, x.Group, x.Rule, c)));
        }),
        new("GET", "/v2.0/security-group-rules/{id}", "network:get_security_group_rule", async c => { var (g, r) = await Find(c); return One(c, 200, g, r); }),
        new("DELETE", "/v2.0/security-group-rules/{id}", "network:delete_security_group_rule", async c =>
        {
            var (group, rule) = await Find(c);
            await Remove(c, group.Id, rule.Id);
            return Reply.Empty(204);
        }),
    ];

    private static async ValueTask Remove(Call c, string group, string rule)
    {
        c.Args["id"] = group;
        await SecurityGroups.Kind.Change(c, "network:update_security_group", d => d.Item = d.Item.WithRules(d.Item.Rules.Where(r => r.Id != rule)), SecurityGroups.Sync);
    }

    private static bool Wanted(Call c, SecurityGroup g, SecurityRule r)
    {
        foreach (var asked in c.Query.GroupBy(q => q.Key, q => q.Value))
        {
            var value = asked.Key switch
            {
                "id" => r.Id,
                "security_group_id" => g.Id,
                "project_id" or "tenant_id" => g.ProjectId,
                "direction" => r.Direction,
                "ethertype" => r.Ethertype,
                "protocol" => r.Protocol ?? "None",
                "description" => r.Description,
                "remote_ip_prefix" => r.RemoteIpPrefix ?? "None",
                "remote_group_id" => r.RemoteGroupId ?? "None",
                "port_range_min" => $"{r.PortRangeMin}",
                "port_range_max" => $"{r.PortRangeMax}",
                _ => null,
            };
            if (value is not null && !asked.Contains(value)) return false;
        }
        return true;
    }

    private static (IReadOnlyList<(SecurityGroup Group, SecurityRule Rule)>, Page) Paged(Call c, IEnumerable<(SecurityGroup Group, SecurityRule Rule)> all)
    {
        var sorted = all.OrderBy(x => x.Rule.Id, StringComparer.Ordinal).ToList();
        var limit = c.First("limit") is not { Length: > 0 } text ? 0 : int.TryParse(text, System.Globalization.NumberStyles.None, null, out var n) ? n : throw Fault.BadRequest($"Invalid input for query parameters limit. Value: {(text.Length > 40 ? text[..40] : text)}.");
        if (c.First("marker") is { Length: > 0 } marker) sorted = sorted[((sorted.FindIndex(x => x.Rule.Id == marker) is >= 0 and var at ? at : throw Fault.BadRequest("marker not found")) + 1)..];
        var shown = limit == 0 ? sorted : [.. sorted.Take(limit)];
        return (shown, new("security_group_rules", limit, shown.Count < sorted.Count, shown.Count > 0 ? shown[0].Rule.Id : null, shown.Count > 0 ? shown[^1].Rule.Id : null));
    }

    private static async ValueTask<(SecurityGroup Group, SecurityRule Rule)> Create(Call c, JsonElement body)
    {
        foreach (var p in body.EnumerateObject())
            if (!Known.Contains(p.Name)) throw Fault.BadRequest($"Unrecognized attribute(s) '{(p.Name.Length > 60 ? p.Name[..60] : p.Name)}'");
        string? Text(string name) => !body.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? null
            : v.ValueKind == JsonValueKind.String ? (v.GetString() is { Length: > 0 } s ? s : null) : v.ValueKind == JsonValueKind.Number ? v.GetRawText() : throw Fault.BadRequest($"Invalid input for {name}.");
        int? Number(string name) => Text(name) is not { } t ? null : int.TryParse(t, System.Globalization.NumberStyles.AllowLeadingSign, null, out var n) && n is >= 0 and <= 65535
            ? n : throw new Fault(400, $"Invalid value for port {(t.Length > 20 ? t[..20] : t)}") { Kind = "SecurityGroupInvalidPortValue" };
        var rule = new SecurityRule(c.Services.Ids.New(), Text("direction") ?? "", Text("ethertype") ?? "IPv4", Text("protocol")?.ToLowerInvariant(), Number("port_range_min"), Number("port_range_max"),
            Text("remote_ip_prefix"), Text("remote_group_id"), Text("description") is { } about ? about.Length <= 255 ? about : throw Fault.BadRequest("Invalid input for description. Reason: it exceeds maximum length of 255.") : "", c.Now);
        rule = Checked(rule, Text("remote_address_group_id"));
        var groupId = Text("security_group_id") ?? throw Fault.BadRequest("Failed to parse request. Required attribute 'security_group_id' not specified.");
        if ((Text("project_id") ?? Text("tenant_id")) is { } owner && owner != c.User?.ProjectId) c.Require("admin", default);
        var found = await Tables.SecurityGroups.Find(c.Store, groupId, c.User?.ProjectId, c.Cancelled);
        if (found is null || !c.Allows("network:get_security_group", new(found.Item.ProjectId))) throw Fault.NotFound("security_group", groupId);
        if (rule.RemoteGroupId is { } remote && await Tables.SecurityGroups.Get(c.Store, found.Item.ProjectId, remote, c.Cancelled) is null) throw Fault.NotFound("security_group", remote);
        c.Args["id"] = groupId;
        var group = await SecurityGroups.Kind.Change(c, "network:update_security_group", d =>
        {
            if (d.Item.Rules.FirstOrDefault(r => r with { Id = rule.Id, CreatedAt = rule.CreatedAt, Description = rule.Description } == rule) is { } same)
                throw new Fault(409, $"Security group rule already exists. Rule id is {same.Id}.") { Kind = "SecurityGroupRuleExists" };
            d.Item = d.Item.WithRules(d.Item.Rules.Append(rule));
        }, SecurityGroups.Sync, more: async d => d.Ops.AddRange(await Tables.Quota.Reserve(c.Store, d.Item.ProjectId, [new("security_group_rule", 1)], NetworkDialect.Over)));
        return (group, rule);
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
        if (r.Protocol is { } named && Protocols.Number(named) is { } number)
        {
            if (number == 1 && r.Ethertype == "IPv6") r = r with { Protocol = "ipv6-icmp" };
            if (Protocols.IsIpv6(named) && r.Ethertype == "IPv4") throw new Fault(400, $"Invalid ethertype {r.Ethertype} for protocol {named}.") { Kind = "SecurityGroupEthertypeConflictWithProtocol" };
            if (named == "icmpv6") r = r with { Protocol = "ipv6-icmp" };
        }
        else r = r with { Protocol = null };
        if (r.PortRangeMin is null && r.PortRangeMax is null) return r;
        if (Protocols.Number(r.Protocol) is not { } protocol) throw new Fault(400, "Must also specify protocol if port range is given.") { Kind = "SecurityGroupProtocolRequiredWithPorts" };
        if (protocol is 1 or 58)
        {
            if (r.PortRangeMin is null) throw new Fault(400, $"ICMP code (port-range-max) {r.PortRangeMax} is provided but ICMP type (port-range-min) is missing.") { Kind = "SecurityGroupMissingIcmpType" };
            if (r.PortRangeMin is > 255 || r.PortRangeMax is > 255)
                throw new Fault(400, $"Invalid value for ICMP {(r.PortRangeMin is > 255 ? "type (port-range-min)" : "code (port-range-max)")}. It must be 0 to 255.") { Kind = "SecurityGroupInvalidIcmpValue" };
        }
        else if (protocol is not (6 or 17 or 33 or 132 or 136)) throw new Fault(400, $"Port range can't be given for protocol {r.Protocol}.") { Kind = "SecurityGroupInvalidProtocolForPort" };
        else if (r.PortRangeMin is not >= 1 || r.PortRangeMax is not >= 1 || r.PortRangeMin > r.PortRangeMax) throw new Fault(400, "For TCP/UDP protocols, port_range_min must be <= port_range_max") { Kind = "SecurityGroupInvalidPortRange" };
        return r;
    }

    private static async ValueTask<(SecurityGroup, SecurityRule)> Find(Call c)
    {
        var groups = c.Allows("network:see_all", default) ? await Tables.SecurityGroups.Everywhere(c.Store, c.Cancelled) : await Tables.SecurityGroups.InProject(c.Store, c.ProjectId, c.Cancelled);
        foreach (var g in groups)
            foreach (var r in g.Rules)
                if (r.Id == c.Args["id"]) return (g, r);
        throw new Fault(404, $"Security group rule {c.Args["id"]} does not exist") { Kind = "SecurityGroupRuleNotFound" };
    }

    private static Reply One(Call c, int status, SecurityGroup g, SecurityRule r) => Reply.Object(status, w =>
    {
        w.WritePropertyName("security_group_rule");
        Write(w, g, r, c);
    });

    /// <param name="c">The call whose <c>fields</c> choose what is shown; null: all.</param>
    internal static void Write(Utf8JsonWriter w, SecurityGroup g, SecurityRule r, Call? c = null)
    {
        if (c is not null && Shown.Only(c) is { } only)
        {
            Shown.Write(w, only, all => Write(all, g, r));
            return;
        }
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
