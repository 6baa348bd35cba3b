using Cloud.Agents.Contract;

namespace Cloud.Agents.Simulated;

/// <summary>Simulated hosts on real links: takes commands, answers, beats.</summary>
public static class Fleet
{
    // Comparing costs a look at every row of the host's; what it finds is rare.
    private const int BeatsPerInventory = 360;

    /// <summary>Runs one host until cancelled.</summary>
    public static async Task Run(SimulatedHost host, IHostLink link, TimeSpan beat, TimeProvider clock, CancellationToken ct)
    {
        await link.Send(host.Inventory(), ct);
        await link.Send(host.Beat(), ct);
        var commands = link.Run((m, _) => host.Handle(m) is { } reply ? Task.FromResult(reply) : Task.FromException<CommandReply>(new IOException("simulated loss of an answer")), ct);
        using var timer = new PeriodicTimer(beat, clock);
        try
        {
            for (var n = 1; await timer.WaitForNextTickAsync(ct); n++)
            {
                await link.Send(host.Beat(), ct);
                if (n % BeatsPerInventory == 0) await link.Send(host.Inventory(), ct);
            }
        }
        catch (OperationCanceledException) { /* stopping */ }
        await commands;
    }
}
