using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>Neutron's API, version 2.0.</summary>
public static class Api
{
    public static readonly Slice Slice = new("network", "network", NetworkDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("versions");
            w.WriteStartObject();
            w.WriteString("id", "v2.0");
            w.WriteString("status", "CURRENT");
            w.WriteStartArray("links");
            w.WriteStartObject();
            w.WriteString("rel", "self");
            w.WriteString("href", c.BaseUrl + "/v2.0/");
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
        }))),
        new("GET", "/v2.0", Policy.Anyone, _ => new(Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("resources"); w.WriteEndArray(); w.WriteEndObject(); }))),
        .. Networks.Routes, .. Subnets.Routes, .. Ports.Routes, .. Routers.Routes, .. FloatingIps.Routes, .. SecurityGroups.Routes, .. SecurityRules.Routes,
        .. Tagging.Routes(Networks.Kind, "network:update_network"), .. Tagging.Routes(Subnets.Kind, "network:update_subnet"), .. Tagging.Routes(Ports.Kind, "network:update_port"),
        .. Tagging.Routes(Routers.Kind, "network:update_router"), .. Tagging.Routes(FloatingIps.Kind, "network:update_floatingip"), .. Tagging.Routes(SecurityGroups.Kind, "network:update_security_group"),
        .. Extensions.Routes, .. Quotas.Routes, .. Infrastructure.Routes,
        .. Unoffered("/v2.0/subnetpools", "subnetpools"), .. Unoffered("/v2.0/address-scopes", "address_scopes"), .. Unoffered("/v2.0/rbac-policies", "rbac_policies"), .. Unoffered("/v2.0/trunks", "trunks"), .. Unoffered("/v2.0/qos/policies", "policies"),
    ])
    {
        CatalogName = "neutron",
        OnEvent = Mates.OnEvent,
        Leftovers = Unowned.All,
        Sagas = [Networks.Sync, Ports.Sync, Ports.Removal, Routers.Sync, Routers.Removal, SecurityGroups.Sync],
        Owners =
        [
            new("port", async (s, host, id) => (await Tables.Ports.Find(s.Store, id))?.Item is { } p && p.Host == host && !p.Doomed, id => new RemovePort(id)) { Wanted = Specs.PortsOn },
            new("router", async (s, host, id) => (await Tables.Routers.Find(s.Store, id))?.Item is { } r && r.Host == host && !r.Doomed, id => new RemoveRouter(id)) { Wanted = Specs.RoutersOn },
        ],
    };

    // Lists are empty, so that clients which look first go on; making one is refused in clear words.
    private static Route[] Unoffered(string path, string name) =>
    [
        new("GET", path, "authenticated", _ => new(Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray(name); w.WriteEndArray(); w.WriteEndObject(); }))),
        Route.Missing("POST", path, "authenticated", $"{name} are not offered by this cloud."),
        new("GET", path + "/{id}", "authenticated", c => throw Fault.NotFound(name, c.Args["id"])),
    ];
}

/// <summary>https://docs.openstack.org/api-ref/network/v2/#tags-extension-tags</summary>
public static class Tagging
{
    public static Route[] Routes<T>(Kind<T> kind, string policy) where T : NetworkResource, new() =>
    [
        new("GET", $"{kind.Path}/{{id}}/tags", "authenticated", async c => All((await kind.Load(c, kind.Sees)).Item.Tags)),
        new("PUT", $"{kind.Path}/{{id}}/tags", policy, async c =>
        {
            var tags = c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty("tags", out var t) && t.ValueKind == JsonValueKind.Array
                ? t.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String ? Checked(x.GetString()!) : throw Fault.BadRequest("Invalid input for tags.")).Distinct().ToArray() : throw Fault.BadRequest("Invalid input for tags: it must be a list.");
            return All((await kind.Change(c, policy, d => d.Item = d.Item with { Tags = tags })).Tags);
        }),
        new("DELETE", $"{kind.Path}/{{id}}/tags", policy, async c =>
        {
            await kind.Change(c, policy, d => d.Item = d.Item with { Tags = [] });
            return Reply.Empty(204);
        }),
        new("GET", $"{kind.Path}/{{id}}/tags/{{tag}}", "authenticated", async c => (await kind.Load(c, kind.Sees)).Item.Tags.Contains(c.Args["tag"]) ? Reply.Empty(204) : throw Fault.NotFound("tag", c.Args["tag"])),
        new("PUT", $"{kind.Path}/{{id}}/tags/{{tag}}", policy, async c =>
        {
            await kind.Change(c, policy, d => d.Item = d.Item with { Tags = [.. d.Item.Tags.Append(Checked(c.Args["tag"])).Distinct()] });
            return Reply.Empty(201);
        }),
        new("DELETE", $"{kind.Path}/{{id}}/tags/{{tag}}", policy, async c =>
        {
            await kind.Change(c, policy, d => d.Item = d.Item with { Tags = d.Item.Tags.Contains(c.Args["tag"]) ? [.. d.Item.Tags.Where(t => t != c.Args["tag"])] : throw Fault.NotFound("tag", c.Args["tag"]) });
            return Reply.Empty(204);
        }),
    ];

    private static string Checked(string tag) => tag.Length is > 0 and <= 255 ? tag : throw Fault.BadRequest("Invalid input for tags: a tag has 1 to 255 characters.");

    private static Reply All(string[] tags) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("tags");
        foreach (var t in tags) w.WriteStringValue(t);
        w.WriteEndArray();
        w.WriteEndObject();
    });
}

/// <summary>What this Neutron can do beyond its core; clients skip what isn't listed.</summary>
public static class Extensions
{
    private static readonly (string Alias, string Name)[] All =
    [
        ("agent", "agent"), ("allowed-address-pairs", "Allowed Address Pairs"), ("availability_zone", "Availability Zone"), ("binding", "Port Binding"), ("external-net", "Neutron external network"),
        ("ext-gw-mode", "Neutron L3 Configurable external gateway mode"), ("extraroute", "Neutron Extra Route"), ("extraroute-atomic", "Atomically add/remove extra routes"), ("net-mtu", "Network MTU"),
        ("network_availability_zone", "Network Availability Zone"), ("pagination", "Pagination support"), ("port-security", "Port Security"), ("project-id", "project_id field enabled"), ("provider", "Provider Network"),
        ("quotas", "Quota management support"), ("quota_details", "Quota details management support"), ("revision-if-match", "If-Match constraints based on revision_number"), ("router", "Neutron L3 Router"),
        ("security-group", "security-group"), ("sorting", "Sorting support"), ("standard-attr-description", "standard-attr-description"), ("standard-attr-revisions", "Resource revision numbers"),
        ("standard-attr-tag", "Tag support for resources with standard attribute"), ("standard-attr-timestamp", "Resource timestamps"), ("subnet_allocation", "Subnet Allocation"),
    ];

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/extensions", "authenticated", _ => new(Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("extensions");
            foreach (var e in All) Write(w, e);
            w.WriteEndArray();
            w.WriteEndObject();
        }))),
        new("GET", "/v2.0/extensions/{alias}", "authenticated", c =>
        {
            var found = Array.Find(All, e => e.Alias == c.Args["alias"]);
            if (found.Alias is null) throw new Fault(404, "The resource could not be found.");
            return new(Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WritePropertyName("extension");
                Write(w, found);
                w.WriteEndObject();
            }));
        }),
    ];

    private static void Write(Utf8JsonWriter w, (string Alias, string Name) e)
    {
        w.WriteStartObject();
        w.WriteString("alias", e.Alias);
        w.WriteString("name", e.Name);
        w.WriteString("description", e.Name);
        w.WriteString("updated", "2016-01-01T10:00:00-00:00");
        w.WriteStartArray("links");
        w.WriteEndArray();
        w.WriteEndObject();
    }
}

/// <summary>https://docs.openstack.org/api-ref/network/v2/#quotas-extension-quotas</summary>
public static class Quotas
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/quotas/{project}", "network:get_quota", c => Show(c)),
        new("GET", "/v2.0/quotas/{project}/default", "network:get_quota", c => new(Write(Tables.Quota.Defaults))),
        new("GET", "/v2.0/quotas/{project}/details", "network:get_quota", async c =>
        {
            Mine(c);
            var (limits, used) = (await Tables.Quota.LimitsOf(c.Store, c.Args["project"]), await Tables.Quota.UsageOf(c.Store, c.Args["project"]));
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartObject("quota");
                foreach (var (k, v) in limits)
                {
                    w.WriteStartObject(k);
                    w.WriteNumber("limit", v);
                    w.WriteNumber("used", used.GetValueOrDefault(k));
                    w.WriteNumber("reserved", 0);
                    w.WriteEndObject();
                }
                w.WriteEndObject();
                w.WriteEndObject();
            });
        }),
        new("PUT", "/v2.0/quotas/{project}", "network:update_quota", async c =>
        {
            var limits = new Dictionary<string, long>();
            foreach (var p in c.Body("quota").EnumerateObject())
            {
                if (p.Name is "tenant_id" or "project_id" or "force" or "check_limit") continue;
                if (!Tables.Quota.Defaults.ContainsKey(p.Name)) throw Fault.BadRequest($"Unrecognized attribute(s) '{p.Name}'");
                limits[p.Name] = p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt64(out var n) && n >= -1 ? n : throw Fault.BadRequest($"Invalid input for {p.Name}.");
            }
            await Tables.Quota.Set(c.Store, c.Args["project"], limits);
            return await Show(c);
        }),
        new("DELETE", "/v2.0/quotas/{project}", "network:update_quota", async c =>
        {
            await Tables.Quota.Set(c.Store, c.Args["project"], null);
            return Reply.Empty(204);
        }),
    ];

    private static void Mine(Call c)
    {
        if (c.Args["project"] != c.User?.ProjectId) c.Require("admin", default);
    }

    private static async ValueTask<Reply> Show(Call c)
    {
        Mine(c);
        return Write(await Tables.Quota.LimitsOf(c.Store, c.Args["project"]));
    }

    private static Reply Write(IReadOnlyDictionary<string, long> limits) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartObject("quota");
        foreach (var (k, v) in limits) w.WriteNumber(k, v);
        w.WriteEndObject();
        w.WriteEndObject();
    });
}

/// <summary>Agents and zones: https://docs.openstack.org/api-ref/network/v2/#agents</summary>
public static class Infrastructure
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/agents", "network:get_agents", async c =>
        {
            var hosts = await Hosts.All(c.Services, c.Cancelled);
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("agents");
                foreach (var h in hosts) Write(w, c, h);
                w.WriteEndArray();
                w.WriteEndObject();
            });
        }),
        new("GET", "/v2.0/agents/{id}", "network:get_agents", async c =>
        {
            var host = (await Hosts.All(c.Services, c.Cancelled)).FirstOrDefault(h => h.Id == c.Args["id"]) ?? throw Fault.NotFound("agent", c.Args["id"]);
            return Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("agent"); Write(w, c, host); w.WriteEndObject(); });
        }),
        new("GET", "/v2.0/availability_zones", "authenticated", async c =>
        {
            var zones = (await Hosts.All(c.Services, c.Cancelled)).Select(h => h.Capacity.Zone).Append("nova").Distinct().Order(StringComparer.Ordinal);
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("availability_zones");
                foreach (var zone in zones)
                    foreach (var what in (string[])["network", "router"])
                    {
                        w.WriteStartObject();
                        w.WriteString("name", zone);
                        w.WriteString("resource", what);
                        w.WriteString("state", "available");
                        w.WriteEndObject();
                    }
                w.WriteEndArray();
                w.WriteEndObject();
            });
        }),
    ];

    private static void Write(Utf8JsonWriter w, Call c, HostRow h)
    {
        w.WriteStartObject();
        w.WriteString("id", h.Id);
        w.WriteString("agent_type", "Host agent");
        w.WriteString("binary", "cloud-host-agent");
        w.WriteString("host", h.Name);
        w.WriteString("topic", "N/A");
        w.WriteString("availability_zone", h.Capacity.Zone);
        w.WriteBoolean("admin_state_up", !h.Disabled);
        w.WriteBoolean("alive", Hosts.IsUp(c.Services, h));
        w.WriteString("created_at", NetworkDialect.Value.Time(h.Since));
        w.WriteString("started_at", NetworkDialect.Value.Time(h.Since));
        w.WriteString("heartbeat_timestamp", NetworkDialect.Value.Time(h.Seen));
        w.WriteString("description", "");
        w.WriteStartObject("configurations");
        w.WriteEndObject();
        w.WriteNull("resources_synced");
        w.WriteEndObject();
    }
}
