using System.Net;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>How many addresses networks have, and how many of them are taken: https://docs.openstack.org/api-ref/network/v2/#network-ip-availability-and-usage-stats</summary>
public static class IpAvailability
{
    private const string Path = "/v2.0/network-ip-availabilities";

    public static readonly Route[] Routes =
    [
        new("GET", Path, "network:get_network_ip_availability", async c =>
        {
            var version = c.First("ip_version") is not { } text ? 0 : text is "4" or "6" ? text[0] - '0' : throw Fault.BadRequest("Invalid input for ip_version: it is 4 or 6.");
            var all = new List<(Network Network, List<(Subnet Subnet, int Used)> Subnets)>();
            foreach (var n in (await Tables.Networks.Everywhere(c.Store, c.Cancelled)).Where(n => Wanted(c, n))) all.Add((n, await Count(c, n, version)));
            return Reply.Object(200, w => w.Objects("network_ip_availabilities", all, x => Write(w, x.Network, x.Subnets)));
        }),
        new("GET", Path + "/{id}", "network:get_network_ip_availability", async c =>
        {
            var network = (await Tables.Networks.Find(c.Store, c.Args["id"], ct: c.Cancelled))?.Item ?? throw Fault.NotFound("network", c.Args["id"]);
            var subnets = await Count(c, network, 0);
            return Reply.Object(200, w => w.Object("network_ip_availability", () => Write(w, network, subnets)));
        }),
    ];

    private static bool Wanted(Call c, Network n) =>
        (c.First("network_id") ?? n.Id) == n.Id && (c.First("network_name") ?? n.Name) == n.Name && (c.First("tenant_id") ?? c.First("project_id") ?? n.ProjectId) == n.ProjectId;

    private static async ValueTask<List<(Subnet, int)>> Count(Call c, Network n, int version)
    {
        var counted = new List<(Subnet, int)>();
        foreach (var s in await Tables.SubnetsOf(c.Store, n, c.Cancelled))
            if (version == 0 || s.IpVersion == version) counted.Add((s, (await Claims.All(c.Store, "ip." + s.Id, c.Cancelled)).Count));
        return counted;
    }

    private static void Write(Utf8JsonWriter w, Network n, List<(Subnet Subnet, int Used)> subnets)
    {
        w.WriteString("network_id", n.Id);
        w.WriteString("network_name", n.Name);
        w.WriteString("tenant_id", n.ProjectId);
        w.WriteString("project_id", n.ProjectId);
        Numbers(w, subnets.Aggregate(UInt128.Zero, (sum, s) => sum + Total(s.Subnet)), subnets.Sum(s => s.Used));
        w.Objects("subnet_ip_availability", subnets, s =>
        {
            w.WriteString("subnet_id", s.Subnet.Id);
            w.WriteString("subnet_name", s.Subnet.Name);
            w.WriteString("cidr", s.Subnet.Cidr);
            w.WriteNumber("ip_version", s.Subnet.IpVersion);
            Numbers(w, Total(s.Subnet), s.Used);
        });
    }

    // More of them than any number of the writer's holds.
    private static void Numbers(Utf8JsonWriter w, UInt128 total, int used)
    {
        w.WritePropertyName("total_ips");
        w.WriteRawValue(total.ToString(null, null));
        w.WriteNumber("used_ips", used);
    }

    /// <summary>What its pools hold.</summary>
    private static UInt128 Total(Subnet s) => s.AllocationPools.Aggregate(UInt128.Zero, (sum, p) => sum + Addresses.ToNumber(IPAddress.Parse(p.End)) - Addresses.ToNumber(IPAddress.Parse(p.Start)) + 1);
}
