using Cloud.Agents.Contract;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host;

/// <summary>
/// Tells the control plane what really is on this host, so that it can mend what failed here or was missed. Commands go on meanwhile:
/// an older sight of a thing does no harm, for fences order it, except for a guest's state, which is left out while a command is at work on it.
/// </summary>
public sealed class Inventories(HostOptions options, string boot, Ledger ledger, InHand inHand, IReadOnlyList<IHolder> holders, TimeProvider time, ILogger log)
{
    /// <summary>Looks at all that exists, with guests first: they hold what comes after.</summary>
    public async Task<Inventory> Look(CancellationToken ct)
    {
        using var work = inHand.Watch();
        var (at, items) = (time.GetUtcNow(), new List<InventoryItem>());
        foreach (var holder in holders.Reverse())
            items.AddRange(await holder.Items(ct));
        var undone = ledger.Undone();
        for (var i = 0; i < items.Count; i++)
            items[i] = items[i] with { Fence = ledger.Fence(items[i].Key), Undone = undone.Contains(items[i].Key) ? true : null };
        // Only now is it known what was in hand.
        return new Inventory(options.Name, boot, [.. items.Select(i => work.Touched(i.Key) ? i with { State = null, Undone = null } : i)], at);
    }

    /// <summary>Again and again, one at a time, until cancelled. Hosts that started together don't speak together: the first wait is a part of the time between two that comes of the name.</summary>
    public async Task Run(Func<HostMessage, CancellationToken, Task> send, CancellationToken ct)
    {
        await Task.Delay(First(options.Name, options.Inventory), time, ct);
        using var timer = new PeriodicTimer(options.Inventory, time);
        do
        {
            try
            {
                await send(await Look(ct), ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                log.LogWarning("inventory: {Message}", e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>Between a tenth of the time and all of it.</summary>
    public static TimeSpan First(string name, TimeSpan every)
    {
        var hash = 2166136261u;
        foreach (var c in name)
            hash = (hash ^ c) * 16777619;
        return every * (0.1 + 0.9 * hash / uint.MaxValue);
    }
}
