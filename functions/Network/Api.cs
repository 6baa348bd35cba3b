using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>Neutron's API, version 2.0.</summary>
public static class Api
{
    private static readonly (string One, string Many)[] Resources =
    [
        ("network", "networks"), ("subnet", "subnets"), ("port", "ports"), ("router", "routers"), ("floatingip", "floatingips"), ("security_group", "security-groups"), ("security_group_rule", "security-group-rules"),
        ("extension", "extensions"), ("quota", "quotas"), ("agent", "agents"), ("availability_zone", "availability_zones"),
    ];

    public static readonly Slice Slice = new("network", "network", NetworkDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Reply.Object(200, w => w.Objects("versions", ["v2.0"], id =>
        {
            w.WriteString("id", id);
            w.WriteString("status", "CURRENT");
            w.Links(("self", c.BaseUrl + "/v2.0/"));
        })))),
        new("GET", "/v2.0", Policy.Anyone, c => new(Reply.Object(200, w => w.Objects("resources", Resources, r =>
        {
            w.WriteString("name", r.One);
            w.WriteString("collection", r.Many);
            w.Links(("self", $"{c.BaseUrl}/v2.0/{r.Many}"));
        })))),
        .. Networks.Routes, .. Subnets.Routes, .. Ports.Routes, .. Routers.Routes, .. FloatingIps.Routes, .. SecurityGroups.Routes, .. SecurityRules.Routes,
        .. Tagging.Routes(Networks.Kind, "network:update_network"), .. Tagging.Routes(Subnets.Kind, "network:update_subnet"), .. Tagging.Routes(Ports.Kind, "network:update_port"),
        .. Tagging.Routes(Routers.Kind, "network:update_router"), .. Tagging.Routes(FloatingIps.Kind, "network:update_floatingip"), .. Tagging.Routes(SecurityGroups.Kind, "network:update_security_group"),
        .. Extensions.Routes, .. Quotas.Routes, .. Infrastructure.Routes, .. IpAvailability.Routes, .. Unoffered.Routes,
    ])
    {
        CatalogName = "neutron",
        OnEvent = async (s, e, ct) =>
        {
            await Mates.OnEvent(s, e, ct);
            await SecurityGroups.OnEvent(s, e, ct);
        },
        Leftovers = Unowned.All,
        Sagas = [Networks.Sync, Ports.Sync, Ports.Removal, Routers.Sync, Routers.Removal, FloatingIps.Removal, SecurityGroups.Sync, Memberships.Sync],
        Owners =
        [
            new("port", async (s, host, id) => (await Tables.Ports.Find(s.Store, id))?.Item.Host == host, id => new RemovePort(id)) { Wanted = Specs.PortsOn },
            new("router", async (s, host, id) => (await Tables.Routers.Find(s.Store, id))?.Item.Host == host, id => new RemoveRouter(id)) { Wanted = Specs.RoutersOn },
        ],
    };
}
