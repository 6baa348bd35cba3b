using Cloud.Agents.Contract;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host.Domains;

/// <summary>
/// After a restart of the machine: starts the guests again that should run. Not at once: the control plane has seen the inventory
/// by then and takes away first what lives elsewhere now. Who switched off by itself before stays off.
/// </summary>
public sealed class Revival(Guests guests, GuestNotes notes, Ledger ledger, TimeProvider time, ILogger<Revival> log)
{
    public async Task Run(string boot, TimeSpan wait, CancellationToken ct)
    {
        var before = ledger.Note("boot");
        if (before is not null && before != boot)
        {
            await Task.Delay(wait, time, ct);
            foreach (var wish in ledger.All<EnsureDomain>())
                await Start(wish, ct);
        }

        ledger.Note("boot", boot);
    }

    private async Task Start(EnsureDomain command, CancellationToken ct)
    {
        var serverId = command.Domain.ServerId;
        using var held = await guests.Lock(serverId, ct);
        // Removed meanwhile, or changed: what is wished now counts.
        if (ledger.Get<EnsureDomain>(command.Key) is not { } wish || wish.Domain.Power == PowerState.Off || notes.Told(serverId) is "off" or "crashed")
            return;
        try
        {
            await guests.Ensure(wish.Domain, ct);
            log.LogInformation("guest {Server} runs again", serverId);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // It is found off then, and the control plane is told.
            log.LogError("guest {Server} does not start again: {Message}", serverId, e.Message);
        }
    }
}
