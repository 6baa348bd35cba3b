using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>What all of Neutron's resources show.</summary>
public abstract record NetworkResource : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Create, Filter = true)] public new string ProjectId { get => base.ProjectId; init => base.ProjectId = value; }
    [Field(In.Create, Filter = true, Wire = "tenant_id"), JsonIgnore] public string Tenant { get => base.ProjectId; init => base.ProjectId = value; }
    [Field(In.Both, Filter = true), MaxLength(255)] public string Description { get; init; } = "";
    [Field] public string[] Tags { get; init; } = [];
    [Field(Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [Field(Wire = "updated_at", Sort = true)] public DateTimeOffset Changed => UpdatedAt ?? CreatedAt;
    [Field] public long RevisionNumber => Revision;
}

public abstract record NamedResource : NetworkResource
{
    [Field(In.Both, Filter = true, Sort = true), MaxLength(255)] public string Name { get; init; } = "";
}

public sealed record Network : NamedResource
{
    [Field(In.Both, Filter = true)] public bool AdminStateUp { get; init; } = true;
    [Field(Filter = true, Sort = true)] public string Status { get; init; } = "ACTIVE";
    [Field(In.Both, Filter = true)] public bool Shared { get; init; }
    [Field(In.Both, Filter = true, Wire = "router:external")] public bool External { get; init; }
    [Field(In.Both), Range(68, 9000)] public int Mtu { get; init; }
    [Field(In.Both)] public bool PortSecurityEnabled { get; init; } = true;
    [Field(In.Create, Wire = "provider:network_type", Policy = "network:provider", Nullable = true)] public string? ProviderType { get; init; }
    [Field(In.Create, Wire = "provider:physical_network", Policy = "network:provider", Nullable = true)] public string? Physical { get; init; }
    [Field(In.Create, Wire = "provider:segmentation_id", Policy = "network:provider", Nullable = true)] public int? Vni { get; init; }
    [Field(In.Create)] public string[] AvailabilityZoneHints { get; init; } = [];
    [Field] public string[] AvailabilityZones { get; init; } = ["nova"];
    /// <summary>Ids of its subnets, in the order they were made; changed in the subnet's own transaction.</summary>
    [Field] public string[] Subnets { get; init; } = [];
    /// <summary>Ports of projects that don't see it are on it, or were: administrators may make such.</summary>
    [OperatorOnly] public bool Mixed { get; init; }
    [Field(In.Both, Nullable = true)] public bool? IsDefault { get; init; }
    [Field(In.Both, Nullable = true)] public string? DnsDomain { get; init; } = "";
    [Field(In.Both, Nullable = true)] public string? QosPolicyId { get; init; }
}

public sealed record Pool(string Start, string End);
public sealed record HostRoute(string Destination, string Nexthop);

public sealed record Subnet : NamedResource
{
    [Field(In.Create, Filter = true, Required = true)] public string NetworkId { get; init; } = "";
    [Field(In.Create, Filter = true)] public int IpVersion { get; init; } = 4;
    [Field(In.Create, Filter = true, Required = true)] public string Cidr { get; init; } = "";
    [Field(In.Both, Filter = true, Nullable = true)] public string? GatewayIp { get; init; }
    [Field(In.Both, Filter = true)] public bool EnableDhcp { get; init; } = true;
    [Field(In.Both)] public Pool[] AllocationPools { get; init; } = [];
    [Field(In.Both), MaxLength(5)] public string[] DnsNameservers { get; init; } = [];
    [Field(In.Both), MaxLength(20)] public HostRoute[] HostRoutes { get; init; } = [];
    [Field(In.Create, Filter = true, Nullable = true), AllowedValues("slaac", "dhcpv6-stateful", "dhcpv6-stateless", null)] public string? Ipv6RaMode { get; init; }
    [Field(In.Create, Filter = true, Nullable = true), AllowedValues("slaac", "dhcpv6-stateful", "dhcpv6-stateless", null)] public string? Ipv6AddressMode { get; init; }
    [Field(In.Create, Nullable = true)] public string? SubnetpoolId { get; init; }
    [Field(In.Both)] public string[] ServiceTypes { get; init; } = [];
    /// <summary>Address of DHCP, DNS and metadata; claimed when the subnet is made.</summary>
    public string? DhcpAddress { get; init; }

    public bool Slaac => Ipv6AddressMode is "slaac" or "dhcpv6-stateless";
}

public sealed record PortAddress(string SubnetId, string IpAddress);
public sealed record AllowedPair(string? MacAddress, string IpAddress);

public sealed record Port : NamedResource
{
    [Field(In.Create, Filter = true, Required = true)] public string NetworkId { get; init; } = "";
    [Field(In.Both, Filter = true)] public bool AdminStateUp { get; init; } = true;
    [Field(In.Create, Filter = true, Sort = true)] public string MacAddress { get; init; } = "";
    [Field] public PortAddress[] FixedIps { get; init; } = [];
    [Field(In.Both, Filter = true)] public string DeviceId { get; init; } = "";
    [Field(In.Both, Filter = true)] public string DeviceOwner { get; init; } = "";
    [Field(Filter = true, Sort = true)] public string Status { get; init; } = "DOWN";
    [Field(In.Both, Filter = true)] public string[] SecurityGroups { get; init; } = [];
    [Field(In.Both, Nullable = true), MaxLength(10)] public AllowedPair[] AllowedAddressPairs { get; init => field = value ?? []; } = [];
    [Field(In.Both)] public bool PortSecurityEnabled { get; init; } = true;
    [Field(In.Both, Wire = "binding:vnic_type"), AllowedValues("normal")] public string VnicType { get; init; } = "normal";
    [Field(In.Both, Wire = "binding:host_id", Policy = "network:binding", Filter = true, Nullable = true)] public string Host { get; init; } = "";
    [Field(Wire = "binding:vif_type", Policy = "network:binding")] public string VifType => Host.Length > 0 ? "bridge" : "unbound";
    [Field(Wire = "binding:vif_details", Policy = "network:binding")] public Dictionary<string, bool> VifDetails => Host.Length > 0 ? new() { ["port_filter"] = true } : [];
    [Field(In.Both, Wire = "binding:profile", Policy = "network:binding", Nullable = true)] public Dictionary<string, System.Text.Json.JsonElement>? Profile { get; init; } = [];
    [Field(In.Both, Nullable = true), MaxLength(20)] public ExtraDhcp[] ExtraDhcpOpts { get; init => field = value ?? []; } = [];
    [Field(In.Both, Nullable = true)] public string? DnsName { get; init; } = "";
    [Field(In.Both, Nullable = true)] public string? QosPolicyId { get; init; }
    /// <summary>Made for its server, and goes with it.</summary>
    public bool Ours { get; init; }
    /// <summary>Addresses it no longer has: free for others when its host has let go of them.</summary>
    public PortAddress[] Leaving { get; init; } = [];
}

public sealed record ExtraDhcp(string OptName, string? OptValue, int IpVersion = 4);

/// <param name="PortId">Its port on the external network, which only administrators see.</param>
public sealed record Gateway(string NetworkId, string PortId, string Mac, PortAddress[] Ips, bool EnableSnat);

public sealed record Router : NamedResource
{
    [Field(In.Both, Filter = true)] public bool AdminStateUp { get; init; } = true;
    [Field(Filter = true)] public string Status { get; init; } = "ACTIVE";
    [Field(In.Update, Nullable = true)] public HostRoute[] Routes { get; init => field = value ?? []; } = [];
    [Field(In.Create, Nullable = true, Policy = "admin"), AllowedValues(false, null)] public bool? Distributed { get; init; } = false;
    [Field(In.Create, Nullable = true, Policy = "admin"), AllowedValues(false, null)] public bool? Ha { get; init; } = false;
    [Field(In.Create)] public string[] AvailabilityZoneHints { get; init; } = [];
    [Field] public string[] AvailabilityZones { get; init; } = ["nova"];
    public Gateway? Gateway { get; init; }
    /// <summary>Of gateways it no longer has: free for others when its host has let go of them.</summary>
    public Gateway[] Leaving { get; init; } = [];
    /// <summary>The host its namespace is on; chosen when it first has something to route.</summary>
    [OperatorOnly] public string Host { get; init; } = "";
}

public sealed record FloatingIp : NetworkResource
{
    [Field(In.Create, Filter = true, Required = true)] public string FloatingNetworkId { get; init; } = "";
    [Field(In.Create, Filter = true, Nullable = true)] public string? FloatingIpAddress { get; init; }
    [Field(In.Both, Filter = true, Nullable = true)] public string? PortId { get; init; }
    [Field(In.Both, Filter = true, Nullable = true)] public string? FixedIpAddress { get; init; }
    [Field(Filter = true)] public string? RouterId { get; init; }
    [Field(Filter = true)] public string Status { get; init; } = "DOWN";
    [Field(In.Create, WriteOnly = true, Nullable = true)] public string? SubnetId { get; init; }
    [Field(In.Create, Nullable = true)] public string? DnsName { get; init; } = "";
    [Field(In.Create, Nullable = true)] public string? DnsDomain { get; init; } = "";
    [Field(In.Both, Nullable = true)] public string? QosPolicyId { get; init; }
    /// <summary>Subnet of the external network its address is from.</summary>
    public string FromSubnet { get; init; } = "";
}

public sealed record SecurityGroup : NamedResource
{
    [Field(In.Both)] public bool Stateful { get; init; } = true;
    public SecurityRule[] Rules { get; init; } = [];
    /// <summary>Revision at which the rules changed last.</summary>
    [OperatorOnly] public long? RulesAt { get; init; }

    public SecurityGroup WithRules(IEnumerable<SecurityRule> rules) => this with { Rules = [.. rules], RulesAt = Revision + 1 };
    public bool Names(string group) => Rules.Any(r => r.RemoteGroupId == group);
}

/// <summary>What is noted of telling hosts who the members of a group are; its id is the group's.</summary>
public sealed record Membership : Resource
{
    /// <summary>How many addresses they were told last.</summary>
    public int Reach { get; init; }
    /// <summary>Somebody came or went while the sync may have been looking already.</summary>
    public bool Again { get; init; }
}

/// <summary>Ports are numbers of TCP and UDP, type and code of ICMP.</summary>
public sealed record SecurityRule(string Id, string Direction, string Ethertype, string? Protocol, int? PortRangeMin, int? PortRangeMax, string? RemoteIpPrefix, string? RemoteGroupId, string Description, DateTimeOffset CreatedAt);
