using System.Net;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <param name="Gateway">Null: the destination is on the link.</param>
public sealed record Route(IPNetwork Destination, IPAddress? Gateway, string Device);

/// <summary>What turns the addresses and routes that are there into those that should be.</summary>
public static class Addressing
{
    public static Script Addresses(Interface? present, string device, IReadOnlyCollection<InterfaceAddress> wished)
    {
        var batch = new Script();
        foreach (var gone in (present?.Addresses ?? []).Except(wished))
            batch.Add($"addr del {gone} dev {device}");
        foreach (var address in wished)
            _ = address.Is6 ? batch.Add($"addr replace {address} dev {device} nodad") : batch.Add($"addr replace {address} dev {device}");
        return batch;
    }

    /// <summary>Only routes that were made here count: those of protocol static.</summary>
    public static Script Routes(IEnumerable<RouteInfo> present, IReadOnlyCollection<Route> wished)
    {
        var batch = new Script();
        var there = present.Where(r => r is { Protocol: "static", Device: not null, Table: null or "main" }).Select(Read).ToHashSet();
        foreach (var gone in there.Where(t => !wished.Any(w => w.Destination == t.Destination)))
            batch.Add($"route del {gone.Destination} dev {gone.Device} proto static");
        foreach (var route in wished.Where(w => !there.Contains(w)))
            _ = route.Gateway is { } gateway
                ? batch.Add($"route replace {route.Destination} via {gateway} dev {route.Device} proto static")
                : batch.Add($"route replace {route.Destination} dev {route.Device} proto static");
        return batch;
    }

    private static Route Read(RouteInfo r)
    {
        var gateway = r.Gateway is null ? null : IPAddress.Parse(r.Gateway);
        var any = gateway?.Is6() == true ? IPAddress.IPv6Any : IPAddress.Any;
        var destination = r.Destination == "default" ? new IPNetwork(any, 0)
            : r.Destination.Contains('/', StringComparison.Ordinal) ? IPNetwork.Parse(r.Destination) : Linux.Addresses.Single(IPAddress.Parse(r.Destination));
        return new Route(destination, gateway, r.Device!);
    }
}
