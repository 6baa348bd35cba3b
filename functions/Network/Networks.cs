using System.Security.Cryptography;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#networks</summary>
public static class Networks
{
    private const int TunnelOverhead = 50;

    /// <summary>Tells every host that has ports on it what the network is like now.</summary>
    public static readonly Saga<Network> Sync = Saga<Network>.Named("network-sync-1", Tables.Networks)
        .Insist()
        .Agent("hosts", async w =>
        {
            var hosts = await Specs.HostsOf(w.Services, w.Item);
            var spec = await Specs.Of(w.Services, w.Item);
            var commands = new List<HostCommand>();
            foreach (var h in hosts)
                if (!await Platform.Agents.Hosts.IsDown(w.Services, h)) commands.Add(new(h, new EnsureNetwork(spec)));
            return commands;
        });

    public static readonly Kind<Network> Kind = new(Tables.Networks, "networks", "/v2.0/networks", NetworkDialect.Value)
    {
        Sees = "network:get_network", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.CountsEach(Tables.Networks, "network"), NetworkDialect.Over),
        Check = Check,
        CheckDelete = async (c, d) =>
        {
            d.Ops.Add(await Tables.Quota.Uncharged(c.Store, d.Item.ProjectId, c.Cancelled));
            var ports = await Tables.PortsOf(c.Store, d.Item, c.Cancelled);
            var floating = d.Item.External && (await Tables.FloatingIps.Everywhere(c.Store, c.Cancelled)).Any(f => f.FloatingNetworkId == d.Item.Id);
            if (ports.Any(p => !p.Doomed) || floating) throw new Fault(409, $"Unable to complete operation on network {d.Item.Id}. There are one or more ports still in use on the network.") { Kind = "NetworkInUse" };
            var network = d.Item;
            foreach (var subnet in await Tables.SubnetsOf(c.Store, network, c.Cancelled))
            {
                var loaded = (await Tables.Subnets.Get(c.Store, network.ProjectId, subnet.Id, c.Cancelled))!;
                d.Add(Tables.Subnets.Deletion(c.Services, loaded, Change.By(c)));
                d.After.Add(() => Tables.Subnets.Forget(c.Store, subnet.Id));
                d.After.Add(() => Subnets.Forget(c.Store, subnet));
            }
            if (network.Vni is { } vni) d.After.Add(() => Claims.Free(c.Store, "vni", $"{vni}", network.Id));
        },
        Extend = (w, _, _, _) =>
        {
            w.WriteNull("ipv4_address_scope");
            w.WriteNull("ipv6_address_scope");
        },
    };

    /// <summary>Makes a transaction of the network's project fail when the network is changed or removed meanwhile.</summary>
    internal static IEnumerable<Op> Stays(Loaded<Network> network, string project) => network.Item.ProjectId == project ? [new Op.Check(Tables.Networks.Key(network.Item.Id), network.ETag)] : [];

    /// <summary>Ports are looked for in their network's project only, unless others see it. Before an administrator's is made elsewhere, the network says that too.</summary>
    internal static async ValueTask OpenTo(Services s, Loaded<Network> network, string project, Change change)
    {
        if (network.Item is { Shared: false, External: false, Mixed: false } n && n.ProjectId != project) await Tables.Networks.Save(s, n with { Mixed = true }, network, change);
    }

    public static readonly Route[] Routes =
    [
        Lists.Of(Kind, "network:get_networks"), Bulk.Create(Kind, "network:create_network", "network:delete_network"), Kind.Show("network:get_network"), Kind.Update("network:update_network", Sync), Kind.Delete("network:delete_network"),
    ];

    private static async ValueTask Check(Call c, Draft<Network> d)
    {
        var n = d.Item;
        if (n.Shared && d.Old?.Shared != true) c.Require("network:share", new(n.ProjectId));
        if (n.External && d.Old?.External != true) c.Require("network:external", new(n.ProjectId));
        if (d.Old is not null)
        {
            if (d.Old.Shared && !n.Shared && (await Tables.PortsOf(c.Store, d.Old, c.Cancelled)).Any(p => p.ProjectId != n.ProjectId))
                throw new Fault(409, $"Unable to reconfigure sharing settings for network {n.Id}. Multiple tenants are using it.") { Kind = "InvalidSharedSetting" };
            if (d.Old.External && !n.External && await Outside(c, d.Old))
                throw new Fault(409, $"External network {n.Id} cannot be updated to be made non-external, since it has existing gateway ports.") { Kind = "ExternalNetworkInUse" };
            return;
        }
        n = n with { ProviderType = n.ProviderType ?? (n.External ? "flat" : "vxlan") };
        switch (n.ProviderType)
        {
            case "vxlan" or "geneve":
                if (n.Vni is < 1 or > 0xffffff) throw Fault.BadRequest("Invalid input for provider:segmentation_id: it must be 1 to 16777215.");
                var vni = n.Vni ?? 0;
                if (vni > 0 && !await Claims.Take(c.Store, "vni", $"{vni}", n.Id, c.Cancelled)) throw new Fault(409, $"Unable to create the network. The tunnel ID {vni} is in use.") { Kind = "TunnelIdInUse" };
                while (vni == 0)
                    if (RandomNumberGenerator.GetInt32(1, 0x1000000) is var wished && await Claims.Take(c.Store, "vni", $"{wished}", n.Id, c.Cancelled)) vni = wished;
                d.Undo.Add(() => Claims.Free(c.Store, "vni", $"{vni}", n.Id));
                n = n with { ProviderType = "vxlan", Vni = vni, Physical = null, Mtu = n.Mtu == 0 ? 1500 - TunnelOverhead : n.Mtu };
                break;
            case "flat":
                n = n with { Physical = n.Physical ?? c.Services.Settings.DefaultPhysical, Vni = null, Mtu = n.Mtu == 0 ? 1500 : n.Mtu };
                if (!n.Physical.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '-' or '_')) throw Fault.BadRequest("Invalid input for provider:physical_network.");
                break;
            default: throw Fault.BadRequest($"Invalid input for operation: network_type value '{n.ProviderType}' not supported.");
        }
        d.Item = n;
    }

    /// <summary>Routers' gateways or floating IPs are on it.</summary>
    private static async ValueTask<bool> Outside(Call c, Network n) =>
        (await Tables.PortsOf(c.Store, n, c.Cancelled)).Any(p => p.DeviceOwner == Routers.GatewayOwner) || (await Tables.FloatingIps.Everywhere(c.Store, c.Cancelled)).Any(f => f.FloatingNetworkId == n.Id);

    /// <summary>Asks for a sync of a network outside of any request's own write.</summary>
    public static async ValueTask Refresh(Services s, string networkId, string projectId, Change change)
    {
        while (await Tables.Networks.Find(s.Store, networkId, projectId) is { } was)
        {
            try
            {
                await Sync.Begin(s, was.Item, was, change);
                return;
            }
            catch (ConflictException) { /* it changed meanwhile */ }
        }
    }
}
