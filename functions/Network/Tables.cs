using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>Where networking keeps its rows, and what its limits count.</summary>
public static class Tables
{
    public static readonly Rows<Network> Networks = new("network", "network") { Shared = n => n.Shared || n.External };
    // Subnets live beside their network, so that whoever sees one finds the other.
    public static readonly Rows<Subnet> Subnets = new("subnet", "network");
    public static readonly Rows<Port> Ports = new("port", "network");
    public static readonly Rows<Router> Routers = new("router", "network");
    public static readonly Rows<FloatingIp> FloatingIps = new("floatingip", "network");
    public static readonly Rows<SecurityGroup> SecurityGroups = new("security_group", "network");
    public static readonly Rows<Membership> Memberships = new("membership", "network") { Publishes = false };

    public static readonly Quota Quota = new("network", new Dictionary<string, long>
    {
        ["network"] = 100, ["subnet"] = 100, ["port"] = 500, ["router"] = 10, ["floatingip"] = 50, ["security_group"] = 10, ["security_group_rule"] = 100, ["rbac_policy"] = 10, ["subnetpool"] = -1,
    });

    public static async ValueTask<IReadOnlyList<Subnet>> SubnetsOf(IEntityStore store, Network n, CancellationToken ct = default) =>
        [.. (await Task.WhenAll(n.Subnets.Select(id => Subnets.Get(store, n.ProjectId, id, ct).AsTask()))).OfType<Loaded<Subnet>>().Select(s => s.Item)];

    /// <summary>Ports of a network, in whatever project they are.</summary>
    public static async ValueTask<IReadOnlyList<Port>> PortsOf(IEntityStore store, Network n, CancellationToken ct = default) =>
        [.. (n.Shared || n.External || n.Mixed ? await Ports.Everywhere(store, ct) : await Ports.InProject(store, n.ProjectId, ct)).Where(p => p.NetworkId == n.Id)];
}
