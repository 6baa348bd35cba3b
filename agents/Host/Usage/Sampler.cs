using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Cloud.Agents.Host.Domains;
using Cloud.Agents.Host.Networks;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host.Usage;

/// <summary>Tells the control plane every few minutes what guests and floating IPs used.</summary>
public sealed class Sampler(HostOptions options, IHypervisor hypervisor, HostNetworks networks, Finals finals, ISpecs specs, IHostLink link, TimeProvider time, ILogger<Sampler> log)
{
    public async Task Run(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(options.Sample, time);
        while (await timer.WaitForNextTickAsync(ct))
            await Once(ct);
    }

    public async Task Once(CancellationToken ct)
    {
        // In this order: an address that goes in between is read as living, or next time.
        var ended = finals.All();
        var traffic = (await networks.Traffic(ct)).Concat(ended).ToList();
        var guests = await Guests(ct);
        var (at, most) = (time.GetUtcNow(), Samples.Most);
        for (var i = 0; i < Math.Max(guests.Count, traffic.Count); i += most)
            await link.Send(new Samples(options.Name, at, [.. guests.Skip(i).Take(most)], [.. traffic.Skip(i).Take(most)]), ct);
        finals.Drop(ended);
    }

    private async Task<IReadOnlyList<GuestSample>> Guests(CancellationToken ct)
    {
        try
        {
            var wishes = specs.All<EnsureDomain>().Select(w => w.Domain).ToDictionary(d => Names.Domain(d.ServerId), StringComparer.Ordinal);
            return [.. (await hypervisor.Stats(ct)).Where(s => wishes.ContainsKey(s.Name)).Select(s => Of(wishes[s.Name], s))];
        }
        catch (RpcException e)
        {
            log.LogWarning("guests tell nothing: {Message}", e.Status.Detail);
            return [];
        }
    }

    private static GuestSample Of(DomainSpec guest, DomainStats s) => new(guest.ServerId, s.Vcpus, s.CpuNs, s.MemoryKib, s.ResidentKib,
        Flows(s.Disks, guest.Disks.Select(d => (d.Device, d.DiskId))), Flows(s.Nics, guest.Nics.Select(n => (Names.Tap(n.PortId), n.PortId))));

    /// <summary>What has no id of ours, such as a drive with the configuration, isn't told.</summary>
    private static FlowSample[] Flows(IEnumerable<Flow> flows, IEnumerable<(string Device, string Id)> ids)
    {
        var known = ids.ToDictionary(i => i.Device, i => i.Id, StringComparer.Ordinal);
        return [.. flows.Where(f => known.ContainsKey(f.Device)).Select(f => new FlowSample(f.Device, known[f.Device], f.BytesIn, f.BytesOut, f.In, f.Out))];
    }
}
