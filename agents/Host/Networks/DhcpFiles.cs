using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>dnsmasq's view of a network: what each subnet hands out, and to whom.</summary>
public static class DhcpFiles
{
    public const string Domain = "openstacklocal";
    public static readonly IPAddress Metadata = new([169, 254, 169, 254]);
    public static readonly IPAddress Metadata6 = IPAddress.Parse("fe80::a9fe:a9fe");
    private const int LeaseSeconds = 86400;
    private const int AdvertiseSeconds = 60;
    private const int RouterSeconds = 1800;

    public static Script Configuration(NetworkSpec network, Dnsmasq dnsmasq)
    {
        var script = dnsmasq.Common()
            .Add($"interface={Dnsmasq.Port}\ndhcp-authoritative\ndhcp-hostsfile={dnsmasq.HostsFile}\naddn-hosts={dnsmasq.NamesFile}")
            .Add($"domain={Domain}\nlocal=/{Domain}/\nexpand-hosts")
            .Add($"dhcp-option=option:mtu,{network.Mtu}");
        foreach (var (subnet, index) in network.Subnets.Select((s, i) => (s, i)).Where(s => s.s.DhcpAddress is not null))
            Subnet(script, subnet, Addresses.ParsePrefix(subnet.Cidr), "s" + index);
        if (network.Subnets.Any(s => s.DhcpAddress is not null && s.Ipv6Mode is not null))
            // A lifetime of 0: who asks here learns its prefix, not a way out. That is the router's to say.
            script.Add($"enable-ra\nra-param={Dnsmasq.Port},mtu:{network.Mtu},{AdvertiseSeconds},0");
        return script;
    }

    /// <summary>A router's own: it says of itself that it is one. Null when no leg has a subnet that is to be advertised.</summary>
    public static Script? Advertisements(IEnumerable<(string Device, NetworkSpec Network, IReadOnlyCollection<InterfaceAddress> Addresses)> legs, Dnsmasq dnsmasq)
    {
        var script = new Script();
        foreach (var (device, network, addresses) in legs)
        {
            var subnets = network.Subnets.Where(s => s.Ipv6Mode is not null && addresses.Any(a => Addresses.ParsePrefix(s.Cidr).Contains(a.Address))).ToList();
            if (subnets.Count > 0)
                script.Add($"interface={device}\nra-param={device},mtu:{network.Mtu},{AdvertiseSeconds},{RouterSeconds}");
            foreach (var subnet in subnets)
                Subnet6(script, subnet, Addresses.ParsePrefix(subnet.Cidr), "r");
        }

        return script.IsEmpty ? null : dnsmasq.Common().Add($"port=0\nenable-ra").Add(script);
    }

    /// <summary>One line per port. A host name that isn't one is left out: it is a tenant's text.</summary>
    public static Script Hosts(NetworkSpec network, IEnumerable<PortSpec> ports)
    {
        var script = new Script();
        foreach (var port in ports)
            foreach (var (mac, address) in Served(network, port))
                _ = address.Is6() ? script.Add($"{mac},[{address}],{Name(port, address)}") : script.Add($"{mac},{address},{Name(port, address)}");
        return script;
    }

    public static Script Names(NetworkSpec network, IEnumerable<PortSpec> ports)
    {
        var script = new Script();
        foreach (var port in ports)
            foreach (var address in port.FixedIps.Select(f => Addresses.Parse(f.Address)))
                script.Add($"{address} {Name(port, address)}");
        return script;
    }

    /// <summary>A label as DNS has it: letters, digits and inner hyphens, at most 63.</summary>
    public static bool IsHostName(string? text) =>
        text is { Length: > 0 and <= 63 } && text[0] != '-' && text[^1] != '-' && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    private static Word Name(PortSpec port, IPAddress address) =>
        IsHostName(port.HostName) ? port.HostName! : "host-" + address.ToString().Replace('.', '-').Replace(':', '-').Trim('-');

    private static IEnumerable<(Mac Mac, IPAddress Address)> Served(NetworkSpec network, PortSpec port) =>
        from ip in port.FixedIps
        join subnet in network.Subnets on ip.SubnetId equals subnet.SubnetId
        let address = Addresses.Parse(ip.Address)
        where subnet.DhcpAddress is not null && (!address.Is6() || subnet.Ipv6Mode == "dhcpv6-stateful")
        select (Mac.Parse(port.Mac), address);

    private static void Subnet(Script script, SubnetSpec subnet, IPNetwork prefix, Word tag)
    {
        var own = Addresses.Parse(subnet.DhcpAddress!);
        var dns = subnet.Dns.Length == 0 ? [own] : subnet.Dns.Select(Addresses.Parse).ToArray();
        if (prefix.Is6())
        {
            Subnet6(script, subnet, prefix, tag);
            script.Part($"dhcp-option=tag:{tag},option6:dns-server");
            foreach (var server in dns.Where(d => d.Is6()))
                script.Part($",[{server}]");
            script.Add($"");
            return;
        }

        script.Add($"dhcp-range=set:{tag},{prefix.BaseAddress},static,{Mask(prefix)},{LeaseSeconds}");
        script.Add($"dhcp-option=tag:{tag},option:dns-server,{dns.Where(d => !d.Is6())}");
        var gateway = subnet.Gateway is null ? null : Addresses.Parse(subnet.Gateway);
        // Nothing after it means that there is none; dnsmasq would name itself.
        _ = gateway is null ? script.Add($"dhcp-option=tag:{tag},option:router") : script.Add($"dhcp-option=tag:{tag},option:router,{gateway}");
        Routes(script, tag, "option:classless-static-route", subnet, own, gateway);
        Routes(script, tag, "249", subnet, own, gateway);
    }

    /// <summary>Who understands this option ignores the router option, so the default route stands here too.</summary>
    private static void Routes(Script script, Word tag, Word option, SubnetSpec subnet, IPAddress own, IPAddress? gateway)
    {
        script.Part($"dhcp-option=tag:{tag},{option},{Addresses.Single(Metadata)},{own}");
        foreach (var route in subnet.HostRoutes)
            script.Part($",{Addresses.ParsePrefix(route.Destination)},{Addresses.Parse(route.NextHop)}");
        if (gateway is not null && !subnet.HostRoutes.Any(r => Addresses.ParsePrefix(r.Destination).PrefixLength == 0))
            script.Part($",0.0.0.0/0,{gateway}");
        script.Add($"");
    }

    private static void Subnet6(Script script, SubnetSpec subnet, IPNetwork prefix, Word tag)
    {
        switch (subnet.Ipv6Mode)
        {
            case "slaac":
                script.Add($"dhcp-range=set:{tag},{prefix.BaseAddress},ra-only,{prefix.PrefixLength}");
                break;
            case "dhcpv6-stateless":
                script.Add($"dhcp-range=set:{tag},{prefix.BaseAddress},ra-stateless,{prefix.PrefixLength}");
                break;
            case "dhcpv6-stateful":
                script.Add($"dhcp-range=set:{tag},{prefix.BaseAddress},static,{prefix.PrefixLength},{LeaseSeconds}");
                break;
        }
    }

    private static IPAddress Mask(IPNetwork prefix) => new(BitConverter.GetBytes(IPAddress.HostToNetworkOrder((int)(prefix.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - prefix.PrefixLength)))));
}
