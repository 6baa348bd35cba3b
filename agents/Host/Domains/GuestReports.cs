using System.Collections.Concurrent;
using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using DomainEvent = Cloud.Agents.Contract.DomainEvent;
using LibvirtEvent = Cloud.Agents.Contract.Libvirt.DomainEvent;

namespace Cloud.Agents.Host.Domains;

/// <summary>
/// Tells the control plane what guests did by themselves. An event only says where to look: what is told is the state found
/// once no command is at work on the guest, and only when it isn't the one wished or the one told before.
/// </summary>
public sealed class GuestReports(HostOptions options, IHypervisor hypervisor, Guests guests, GuestNotes notes, ISpecs specs, Changes changes, TimeProvider time, ILogger<GuestReports> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<string, bool> looking = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> crashed = new(StringComparer.Ordinal);

    /// <summary>Follows the sidecar until cancelled, through its restarts.</summary>
    public async Task Run(Func<HostMessage, CancellationToken, Task> send, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await foreach (var e in hypervisor.Events(ct))
                    await Follow(e, send, ct);
            }
            catch (Exception e) when (e is RpcException or HttpRequestException or IOException)
            {
                log.LogDebug("events: {Message}", e.Message);
            }

            await Task.Delay(Pause, time, ct);
        }
    }

    /// <returns>As messages name it; null for what is no state to stay in.</returns>
    public static string? State(DomainState state) => state switch
    {
        DomainState.Running => "running",
        DomainState.Paused => "paused",
        DomainState.Off => "off",
        DomainState.Crashed => "crashed",
        _ => null,
    };

    private async Task Follow(LibvirtEvent e, Func<HostMessage, CancellationToken, Task> send, CancellationToken ct)
    {
        if (e.Kind == IHypervisor.Subscribed)
        {
            // Whatever happened while nobody listened.
            foreach (var domain in await hypervisor.List(ct))
                Look(domain.Name, send, ct);
            return;
        }

        changes.Announce(e.Name);
        if (e.Kind != "lifecycle")
            return;
        if (e.Detail == "stopped: crashed" || e.State == DomainState.Crashed)
            crashed[e.Name] = true;
        else if (e.State == DomainState.Running)
            crashed.TryRemove(e.Name, out _);
        Look(e.Name, send, ct);
    }

    /// <summary>In the background: a command may be holding the guest for long.</summary>
    private void Look(string name, Func<HostMessage, CancellationToken, Task> send, CancellationToken ct)
    {
        if (Guests.ServerId(name) is { } serverId && looking.TryAdd(name, true))
            _ = Task.Run(() => Report(name, serverId, send, ct), ct);
    }

    private async Task Report(string name, string serverId, Func<HostMessage, CancellationToken, Task> send, CancellationToken ct)
    {
        try
        {
            using var held = await guests.Lock(serverId, ct);
            // From here on a new event needs a new look.
            looking.TryRemove(name, out _);
            if (specs.Get<EnsureDomain>($"domain/{serverId}") is not { } wish || await hypervisor.Get(name, ct) is not { } domain)
                return;
            var state = State(domain.State);
            if (state == "off" && crashed.ContainsKey(name))
                state = "crashed";
            var wished = wish.Domain.Power.ToString().ToLowerInvariant();
            if (state is null || state == (notes.Told(serverId) ?? wished))
                return;
            await send(new DomainEvent(options.Name, serverId, state, time.GetUtcNow(), specs.Fence(wish.Key)), ct);
            notes.Told(serverId, state == wished ? null : state);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // The next event, or the next connection to the sidecar, looks again.
            log.LogWarning("{Domain}: {Message}", name, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The agent ends.
        }
        finally
        {
            looking.TryRemove(name, out _);
        }
    }
}
