namespace Cloud.Agents.Contract;

/// <summary>A layer-2 network as hosts see it.</summary>
/// <param name="Vni">VXLAN id, 1..16777215; 0 with a <paramref name="Physical"/> network.</param>
/// <param name="Physical">Name of a provider network that the host maps to a bridge, or null.</param>
/// <param name="Peers">Tunnel addresses of the other hosts that hold ports of this network.</param>
/// <param name="Revision">Grows with every change: what a host knows of a network is never replaced by something older, whichever command brings it.</param>
public sealed record NetworkSpec(string NetworkId, string ProjectId, int Vni, string? Physical, int Mtu, SubnetSpec[] Subnets, string[] Peers, long Revision = 0);

/// <summary>One subnet: what DHCP hands out. Addresses are text, prefixes in CIDR form.</summary>
/// <param name="DhcpAddress">Address of DHCP, DNS forwarding and metadata on this subnet; the same on every host. Null when DHCP is off.</param>
public sealed record SubnetSpec(string SubnetId, string Cidr, string? Gateway, string? DhcpAddress, string[] Dns, RouteSpec[] HostRoutes, string? Ipv6Mode = null);

public sealed record RouteSpec(string Destination, string NextHop);

/// <summary>A port: where it is plugged, what it may send and what may reach it.</summary>
/// <param name="ServerId">The guest that owns the port; metadata answers to it. Null for ports of nobody's guest.</param>
/// <param name="PortSecurity">False: no anti-spoofing, no rules.</param>
/// <param name="Rules">What is allowed; the rest is dropped. Established traffic passes while a rule for it exists.</param>
public sealed record PortSpec(string PortId, string? ServerId, string ProjectId, string Mac, FixedIp[] FixedIps, bool PortSecurity, AddressPair[] AllowedPairs, RuleSpec[] Rules, string? HostName, bool AdminUp = true);

public sealed record FixedIp(string SubnetId, string Address);

public sealed record AddressPair(string? Mac, string Cidr);

/// <summary>One allowance. Everything is typed: nothing of a tenant's text reaches a rule set.</summary>
/// <param name="Ingress">True: towards the guest.</param>
/// <param name="Ipv6">The ether type.</param>
/// <param name="Protocol">IP protocol number; null for any.</param>
/// <param name="PortMin">First port, or ICMP type.</param>
/// <param name="PortMax">Last port, or ICMP code.</param>
/// <param name="Remotes">CIDRs the other side must be in; null for any, empty for none.</param>
/// <param name="RemoteGroup">The other side must be a member of this group, see <see cref="EnsureGroup"/>; null for any.</param>
public sealed record RuleSpec(bool Ingress, bool Ipv6, int? Protocol, int? PortMin, int? PortMax, string[]? Remotes, string? RemoteGroup = null);

/// <summary>A router. Interfaces are addresses on networks; the external one carries source NAT and floating IPs.</summary>
public sealed record RouterSpec(string RouterId, string ProjectId, bool AdminUp, ExternalSpec? External, RouterInterface[] Interfaces, RouteSpec[] Routes, FloatingIpSpec[] FloatingIps);

/// <param name="Addresses">Own addresses with prefix length, e.g. 198.51.100.11/24.</param>
public sealed record ExternalSpec(NetworkSpec Network, string PortId, string Mac, string[] Addresses, string[] Gateways, bool Snat);

/// <param name="Addresses">Own addresses with prefix length on that network.</param>
public sealed record RouterInterface(NetworkSpec Network, string PortId, string Mac, string[] Addresses);

public sealed record FloatingIpSpec(string FloatingIpId, string Address, string FixedAddress);

public enum PowerState { Running, Off, Paused }

/// <summary>A guest. Memory in MiB.</summary>
/// <param name="Metadata">What the metadata service tells the guest.</param>
public sealed record DomainSpec(string ServerId, string ProjectId, string Name, int Vcpus, int MemoryMiB, DiskSpec[] Disks, NicSpec[] Nics, PowerState Power, GuestMetadata Metadata, bool ConfigDrive = false);

/// <param name="Device">Guest device hint: vda, vdb...; the first is the boot disk.</param>
public sealed record DiskSpec(string DiskId, string Device, string Serial);

public sealed record NicSpec(string PortId, string Mac, int Mtu);

/// <summary>What cloud-init reads. <paramref name="UserData"/> is base64 as the client sent it.</summary>
public sealed record GuestMetadata(string Hostname, string AvailabilityZone, string? KeyName, string? PublicKey, Dictionary<string, string> Meta, string? UserData, string? AdminPassword = null)
{
    /// <summary>Not what else it holds, which is the guest's alone.</summary>
    public override string ToString() => Hostname;
}
