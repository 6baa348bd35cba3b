using Cloud.Agents.Contract;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host;

/// <summary>Tells the control plane that this host is alive. Says nothing until libvirt was seen once: before that no guest could start here.</summary>
public sealed class Heartbeats(HostOptions options, Capacity capacity, IHostLink link, string boot, TimeProvider time, ILogger<Heartbeats> log)
{
    /// <summary>Counting guests costs more than a beat.</summary>
    private const int BeatsPerLook = 5;

    /// <param name="first">Called once, when the first beat is with the control plane.</param>
    public async Task Run(Action first, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(options.Heartbeat, time);
        HostCapacity? last = null;
        var (away, told) = (false, false);
        for (long sequence = 0; ; sequence++)
        {
            try
            {
                if (last is null || away || sequence % BeatsPerLook == 0)
                    last = await capacity.Read(ct);
                away = false;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (!away)
                    log.LogWarning("libvirt does not answer: {Message}", e.Message);
                away = true;
            }

            if (last is not null)
            {
                await link.Send(new Heartbeat(options.Name, boot, last, sequence), ct);
                if (!told) first();
                told = true;
            }
            await timer.WaitForNextTickAsync(ct);
        }
    }
}
