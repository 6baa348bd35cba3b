using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Metadata;

/// <summary>meta_data.json and network_data.json as cloud-init reads them.</summary>
public static class OpenStackDocuments
{
    // Small guests read this with grep: keys and names are written as they are, not as \u escapes. Quotes and controls still are escaped.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] MetaData(DomainSpec spec) => Json(w =>
    {
        var data = spec.Metadata;
        w.WriteString("uuid", spec.ServerId);
        w.WriteString("name", spec.Name);
        w.WriteString("hostname", data.Hostname);
        w.WriteString("availability_zone", data.AvailabilityZone);
        w.WriteString("project_id", spec.ProjectId);
        w.WriteNumber("launch_index", 0);
        if (data.AdminPassword is not null)
            w.WriteString("admin_pass", data.AdminPassword);
        w.WriteStartObject("meta");
        foreach (var (key, value) in data.Meta)
            w.WriteString(key, value);
        w.WriteEndObject();
        if (data.PublicKey is not null)
        {
            w.WriteStartObject("public_keys");
            w.WriteString(data.KeyName ?? "key", data.PublicKey);
            w.WriteEndObject();
            w.WriteStartArray("keys");
            w.WriteStartObject();
            w.WriteString("name", data.KeyName ?? "key");
            w.WriteString("type", "ssh");
            w.WriteString("data", data.PublicKey);
            w.WriteEndObject();
            w.WriteEndArray();
        }

        w.WriteBase64String("random_seed", RandomNumberGenerator.GetBytes(512));
        w.WriteStartArray("devices");
        w.WriteEndArray();
    });

    public static byte[] NetworkData(DomainSpec spec, IReadOnlyList<EnsurePort> ports) => Json(w =>
    {
        w.WriteStartArray("links");
        foreach (var nic in spec.Nics)
        {
            w.WriteStartObject();
            w.WriteString("id", Names.Tap(nic.PortId));
            w.WriteString("vif_id", nic.PortId);
            w.WriteString("type", "phy");
            if (nic.Mtu > 0)
                w.WriteNumber("mtu", nic.Mtu);
            w.WriteString("ethernet_mac_address", nic.Mac);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteStartArray("networks");
        foreach (var (port, index) in ports.SelectMany(p => p.Port.FixedIps.Select(ip => (p, ip))).Select((x, i) => (x, i)))
            Network(w, port.p, port.ip, index);
        w.WriteEndArray();
        w.WriteStartArray("services");
        foreach (var dns in ports.SelectMany(p => p.Network.Subnets).SelectMany(s => s.Dns).Distinct())
        {
            w.WriteStartObject();
            w.WriteString("type", "dns");
            w.WriteString("address", dns);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    });

    private static void Network(Utf8JsonWriter w, EnsurePort command, FixedIp ip, int index)
    {
        if (command.Network.Subnets.FirstOrDefault(s => s.SubnetId == ip.SubnetId) is not { } subnet || !IPNetwork.TryParse(subnet.Cidr, out var range))
            return;
        var family = range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? "ipv6" : "ipv4";
        w.WriteStartObject();
        w.WriteString("id", $"network{index}");
        w.WriteString("network_id", command.Network.NetworkId);
        w.WriteString("link", Names.Tap(command.Port.PortId));
        if (family == "ipv6" && subnet.Ipv6Mode is { } mode)
            w.WriteString("type", mode == "slaac" ? "ipv6_slaac" : $"ipv6_{mode}");
        else if (family == "ipv4" && subnet.DhcpAddress is not null)
            w.WriteString("type", "ipv4_dhcp");
        else
            Static(w, subnet, ip, family, range);
        w.WriteEndObject();
    }

    private static void Static(Utf8JsonWriter w, SubnetSpec subnet, FixedIp ip, string family, IPNetwork range)
    {
        w.WriteString("type", family);
        w.WriteString("ip_address", ip.Address);
        w.WriteString("netmask", Mask(range));
        w.WriteStartArray("routes");
        var everywhere = family == "ipv4" ? "0.0.0.0/0" : "::/0";
        RouteSpec[] gateway = subnet.Gateway is null ? [] : [new RouteSpec(everywhere, subnet.Gateway)];
        foreach (var route in gateway.Concat(subnet.HostRoutes))
        {
            if (!IPNetwork.TryParse(route.Destination, out var destination))
                continue;
            w.WriteStartObject();
            w.WriteString("network", destination.BaseAddress.ToString());
            w.WriteString("netmask", Mask(destination));
            w.WriteString("gateway", route.NextHop);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static string Mask(IPNetwork range)
    {
        var bytes = new byte[range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? 16 : 4];
        for (var i = 0; i < range.PrefixLength; i++)
            bytes[i / 8] |= (byte)(0x80 >> (i % 8));
        return new IPAddress(bytes).ToString();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(2048);
        using (var w = new Utf8JsonWriter(buffer, Readable))
        {
            w.WriteStartObject();
            write(w);
            w.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
