using Cloud.Agents.Contract;
using Cloud.Platform;

namespace Cloud.Telemetry;

/// <summary>
/// What hosts counted of guests becomes measures, under the names, resource types and ids that Ceilometer gives them:
/// https://docs.openstack.org/ceilometer/latest/admin/telemetry-measurements.html
/// </summary>
internal static class FromHosts
{
    public static async Task OnSamples(Services s, Samples samples, CancellationToken ct)
    {
        var at = samples.At < s.Now ? samples.At : s.Now;
        var known = new List<(Measured, IReadOnlyList<Sample>)>();
        foreach (var guest in samples.Guests.Take(Samples.Most))
            // A host tells of its own guests only.
            if (await Compute.Facade.ProjectOf(s, guest.ServerId, samples.Host, ct) is { } project)
                known.AddRange(Of(guest, project).Select(x => (x.Of, (IReadOnlyList<Sample>)[.. x.Values.Select(v => new Sample(v.Metric, v.Unit, at, v.Value))])));
        await Facade.Add(s, known, ct);
    }

    private static IEnumerable<(Measured Of, (string Metric, string Unit, double Value)[] Values)> Of(GuestSample g, string project)
    {
        yield return (new(project, g.ServerId, "instance"),
            [("cpu", "ns", g.CpuNs), ("vcpus", "vcpu", g.Vcpus), ("memory", "MB", g.MemoryKib / 1024d), ("memory.resident", "MB", g.ResidentKib / 1024d)]);
        foreach (var d in g.Disks)
            yield return (new(project, $"{g.ServerId}-{d.Device}", "instance_disk", Part(d.Device, g.ServerId)),
                [("disk.device.read.bytes", "B", d.BytesIn), ("disk.device.write.bytes", "B", d.BytesOut), ("disk.device.read.requests", "request", d.In), ("disk.device.write.requests", "request", d.Out)]);
        foreach (var n in g.Nics)
            yield return (new(project, $"{Names.Domain(g.ServerId)}-{g.ServerId}-{Tap(n.Id)}", "instance_network_interface", Part(Tap(n.Id), g.ServerId)),
                [("network.incoming.bytes", "B", n.BytesIn), ("network.outgoing.bytes", "B", n.BytesOut), ("network.incoming.packets", "packet", n.In), ("network.outgoing.packets", "packet", n.Out)]);
    }

    private static Dictionary<string, string> Part(string name, string server) => new() { ["name"] = name, ["instance_id"] = server };

    /// <summary>Neutron's name of a port's device, which is what people look for.</summary>
    private static string Tap(string portId) => "tap" + portId[..Math.Min(11, portId.Length)];
}
