using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>https://docs.openstack.org/api-ref/network/v2/#ports</summary>
public static class Ports
{
    /// <summary>Makes the port's host true to the row.</summary>
    public static readonly Saga<Port> Sync = Saga<Port>.Named("port-sync-1", Tables.Ports)
        .Insist()
        .Agent("plug", async w => Plugged(w.Item) ? [await Specs.Ensure(w.Services, w.Item)] : [])
        .Finished(w => { w.Item = w.Item with { Status = Plugged(w.Item) && w.Item.AdminStateUp ? "ACTIVE" : "DOWN" }; return ValueTask.CompletedTask; });

    public static readonly Saga<Port> Removal = Saga<Port>.Deleting("port-delete-1", Tables.Ports)
        .Agent("unplug", w => new(Plugged(w.Item) ? [Specs.Remove(w.Item)] : []))
        .Step("free", w => Free(w.Store, w.Item));

    public static readonly Kind<Port> Kind = new(Tables.Ports, "ports", "/v2.0/ports", NetworkDialect.Value)
    {
        Sees = "network:get_port", ListsAll = "admin", AllByDefault = true,
        Charges = (Tables.Quota, Tables.Quota.Counts(Tables.Ports, _ => [new("port", 1)]), NetworkDialect.Over),
        Check = Check,
        CheckDelete = (_, d) => d.Item.DeviceOwner == Routers.InterfaceOwner
            ? throw new Fault(409, $"Port {d.Item.Id} cannot be deleted directly via the port API: has device owner {d.Item.DeviceOwner}.") { Kind = "ServicePortInUse" } : ValueTask.CompletedTask,
        Extend = (w, _, p, _) =>
        {
            w.WriteStartArray("fixed_ips");
            foreach (var f in p.FixedIps)
            {
                w.WriteStartObject();
                w.WriteString("subnet_id", f.SubnetId);
                w.WriteString("ip_address", f.IpAddress);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteStartArray("dns_assignment");
            w.WriteEndArray();
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("network:get_ports", where: Wanted),
        new("POST", "/v2.0/ports", "network:create_port", Create), Kind.Show("network:get_port"),
        new("PUT", "/v2.0/ports/{id}", "network:update_port", Update), new("DELETE", "/v2.0/ports/{id}", "network:delete_port", Delete),
    ];

    public static bool Plugged(Port p) => p.Host.Length > 0 && p.DeviceOwner != Routers.InterfaceOwner;

    private static async ValueTask<Reply> Create(Call c)
    {
        var port = await Kind.Create(c, "network:create_port", Without(c.Body("port"), "fixed_ips", out var wished), c.Body("port").TryGetProperty("binding:host_id", out _) ? Sync : null, d => Address(c, d, wished));
        return Kind.One1(c, 201, port);
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var body = Without(c.Body("port"), "fixed_ips", out var wished);
        return Kind.One1(c, 200, await Kind.Change(c, "network:update_port", d => d.Item = Kind.Read(c, d.Item, body, In.Update), Sync, body, d => wished is null ? ValueTask.CompletedTask : Address(c, d, wished)));
    }

    private static async ValueTask<Reply> Delete(Call c)
    {
        var port = (await Kind.Load(c, "network:delete_port")).Item;
        await FloatingIps.Detach(c.Services, port, Change.By(c));
        await Kind.Delete(c, "network:delete_port", Removal);
        return Reply.Empty(204);
    }

    private static bool Wanted(Call c, Port p)
    {
        foreach (var (k, v) in c.Query)
        {
            if (k != "fixed_ips") continue;
            var (what, value) = v.Split('=', 2) is [var a, var b] ? (a, b) : ("", "");
            if (!p.FixedIps.Any(f => what switch { "ip_address" => f.IpAddress == value, "subnet_id" => f.SubnetId == value, "ip_address_substr" => f.IpAddress.Contains(value, StringComparison.Ordinal), _ => true })) return false;
        }
        return true;
    }

    private static async ValueTask Check(Call c, Draft<Port> d)
    {
        var network = await Tables.Networks.Find(c.Store, d.Item.NetworkId, c.User?.ProjectId, c.Cancelled);
        if (network is null || !c.Allows("network:get_network", new(network.Item.ProjectId)) && !Tables.Networks.Shared(network.Item)) throw Fault.NotFound("network", d.Item.NetworkId);
        d.Item = await Complete(c.Services, d.Item, network.Item, d.Old is null, d.Body.ValueKind == JsonValueKind.Object && d.Body.TryGetProperty("security_groups", out _));
        foreach (var pair in d.Item.AllowedAddressPairs)
        {
            if (pair.IpAddress.Contains('/', StringComparison.Ordinal)) Addresses.ParseCidr(pair.IpAddress, "allowed_address_pairs");
            else Addresses.Parse(pair.IpAddress, "allowed_address_pairs");
            if (pair.MacAddress is { } m) CheckMac(m);
        }
        if (!d.Item.PortSecurityEnabled && (d.Item.SecurityGroups.Length > 0 || d.Item.AllowedAddressPairs.Length > 0))
            throw new Fault(409, "Port security must be enabled in order to have allowed address pairs or security groups on a port.") { Kind = "PortSecurityAndIPRequiredForSecurityGroups" };
        if (d.Old is null) await TakeMac(c.Store, d);
    }

    /// <summary>Fills in what the client left to us: port security, groups.</summary>
    internal static async ValueTask<Port> Complete(Services s, Port p, Network network, bool fresh, bool groupsGiven)
    {
        if (fresh && !network.PortSecurityEnabled) p = p with { PortSecurityEnabled = false };
        if (fresh && p.PortSecurityEnabled && !groupsGiven) p = p with { SecurityGroups = [(await SecurityGroups.Default(s, p.ProjectId)).Id] };
        foreach (var id in p.SecurityGroups)
            if (await Tables.SecurityGroups.Get(s.Store, p.ProjectId, id) is null) throw Fault.NotFound("security group", id);
        return p;
    }

    private static async ValueTask TakeMac(IEntityStore store, Draft<Port> d)
    {
        var p = d.Item;
        if (p.MacAddress.Length > 0)
        {
            CheckMac(p.MacAddress);
            if (!await Claims.Take(store, "mac." + p.NetworkId, p.MacAddress.ToLowerInvariant(), p.Id)) throw new Fault(409, $"Unable to complete operation for network {p.NetworkId}. The mac address {p.MacAddress} is in use.") { Kind = "MacAddressInUse" };
        }
        else
        {
            string mac;
            do mac = NewMac(); while (!await Claims.Take(store, "mac." + p.NetworkId, mac, p.Id));
            d.Item = p with { MacAddress = mac };
        }
        var taken = d.Item;
        d.Undo.Add(() => Claims.Free(store, "mac." + taken.NetworkId, taken.MacAddress.ToLowerInvariant(), taken.Id));
    }

    internal static string NewMac()
    {
        var b = RandomNumberGenerator.GetBytes(3);
        return $"fa:16:3e:{b[0]:x2}:{b[1]:x2}:{b[2]:x2}";
    }

    private static void CheckMac(string mac)
    {
        if (mac.Length != 17 || !mac.Split(':').All(x => x.Length == 2 && x.All(char.IsAsciiHexDigit)) || (Convert.ToByte(mac[..2], 16) & 1) == 1 || mac == "00:00:00:00:00:00")
            throw Fault.BadRequest($"Invalid input for mac_address. Reason: '{(mac.Length > 40 ? mac[..40] : mac)}' is not a valid MAC address.");
    }

    private static async ValueTask Address(Call c, Draft<Port> d, JsonElement? wished)
    {
        var network = (await Tables.Networks.Find(c.Store, d.Item.NetworkId, c.User?.ProjectId, c.Cancelled))!.Item;
        var asked = new List<(string? Subnet, string? Address)>();
        if (wished is { } list)
        {
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > 5) throw Fault.BadRequest("Invalid input for fixed_ips: it must be a list of at most 5 addresses.");
            foreach (var e in list.EnumerateArray())
            {
                string? Text(string name) => e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null;
                asked.Add((Text("subnet_id"), Text("ip_address")));
            }
        }
        else asked.Add((null, null));
        var old = d.Old?.FixedIps ?? [];
        var now = await Allocate(c.Services, d.Item, network, asked, old, d.Undo);
        d.Item = d.Item with { FixedIps = now };
        foreach (var gone in old.Where(o => !now.Contains(o))) d.After.Add(() => Addresses.Free(c.Store, gone.SubnetId, gone.IpAddress, d.Item.Id));
    }

    /// <summary>Claims addresses. (null, null) means: one IPv4 and one IPv6 address of whatever subnets there are.</summary>
    internal static async ValueTask<PortAddress[]> Allocate(Services s, Port p, Network network, IEnumerable<(string? Subnet, string? Address)> asked, PortAddress[] keep, List<Func<ValueTask>> undo)
    {
        var subnets = await Tables.SubnetsOf(s.Store, network);
        var got = new List<PortAddress>();
        async ValueTask Take(Subnet subnet, string? address)
        {
            if (address is null && subnet.Slaac) address = Addresses.Slaac(IPNetwork.Parse(subnet.Cidr), p.MacAddress);
            if (keep.FirstOrDefault(k => k.SubnetId == subnet.Id && (address is null || k.IpAddress == address)) is { } kept && !got.Contains(kept)) { got.Add(kept); return; }
            var claimed = await Addresses.Claim(s.Store, subnet, p.Id, address);
            undo.Add(() => Addresses.Free(s.Store, subnet.Id, claimed, p.Id));
            got.Add(new(subnet.Id, claimed));
        }
        foreach (var (subnetId, address) in asked)
        {
            if (subnetId is null && address is null)
            {
                foreach (var family in (int[])[4, 6])
                {
                    Fault? full = null;
                    foreach (var subnet in subnets.Where(x => x.IpVersion == family))
                        try { await Take(subnet, null); full = null; break; }
                        catch (Fault f) when (f.Kind == "IpAddressGenerationFailure") { full = f; }
                    if (full is not null) throw full;
                }
                continue;
            }
            var wanted = subnetId is not null ? subnets.FirstOrDefault(x => x.Id == subnetId) ?? throw new Fault(400, $"Failed to create port on network {network.Id}, because fixed_ips included invalid subnet {subnetId}.") { Kind = "InvalidInput" }
                : subnets.FirstOrDefault(x => IPNetwork.Parse(x.Cidr).Contains(Addresses.Parse(address!))) ?? throw new Fault(400, $"IP address {address} is not a valid IP for any of the subnets on the specified network.") { Kind = "InvalidIpForNetwork" };
            await Take(wanted, address);
        }
        return [.. got];
    }

    internal static async ValueTask Free(IEntityStore store, Port p)
    {
        foreach (var f in p.FixedIps) await Addresses.Free(store, f.SubnetId, f.IpAddress, p.Id);
        await Claims.Free(store, "mac." + p.NetworkId, p.MacAddress.ToLowerInvariant(), p.Id);
    }

    private static JsonElement Without(JsonElement body, string name, out JsonElement? value)
    {
        value = body.TryGetProperty(name, out var v) ? v : null;
        if (value is null) return body;
        var rest = System.Text.Json.Nodes.JsonObject.Create(body)!;
        rest.Remove(name);
        using var json = JsonDocument.Parse(rest.ToJsonString());
        return json.RootElement.Clone();
    }
}
