namespace Cloud.Agents.Contract;

/// <summary>
/// What a host counted, every few minutes. Every number is a sum since something began, so one that gets lost or comes twice does no harm:
/// readers take differences.
/// </summary>
public sealed record Samples(string Host, DateTimeOffset At, GuestSample[] Guests, TrafficSample[] Traffic) : HostMessage(Host)
{
    /// <summary>Guests, or addresses, that one message tells of at most.</summary>
    public const int Most = 200;
}

/// <summary>A running guest; sums since its process began.</summary>
/// <param name="CpuNs">Processor time of all virtual processors, in ns.</param>
/// <param name="MemoryKib">Given to the guest.</param>
/// <param name="ResidentKib">Memory of the host that its process holds.</param>
public sealed record GuestSample(string ServerId, int Vcpus, long CpuNs, long MemoryKib, long ResidentKib, FlowSample[] Disks, FlowSample[] Nics);

/// <param name="Device">As the guest knows a disk (vda), as the host knows an interface.</param>
/// <param name="Id">Of the disk, or of the port.</param>
/// <param name="BytesIn">Read from the disk, or received by the guest.</param>
/// <param name="In">Requests, or packets.</param>
public sealed record FlowSample(string Device, string Id, long BytesIn, long BytesOut, long In, long Out);

/// <summary>What passed between a floating IP and the outside since it came to the router it is at.</summary>
/// <param name="Epoch">Names the time at that router: numbers of different epochs are of different counters.</param>
/// <param name="BytesIn">From the outside, whole IP packets.</param>
public sealed record TrafficSample(string FloatingIpId, string Epoch, long BytesIn, long BytesOut);
