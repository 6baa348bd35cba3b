using System.Diagnostics.CodeAnalysis;

namespace Cloud.Platform.Hosting;

/// <summary>Runs timer triggers when no Functions host does it.</summary>
public static class Timers
{
    [SuppressMessage("Design", "CA1031", Justification = "one failed run must not end the timer")]
    public static async Task Run(Services s, TimerTrigger trigger, ILogger log, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(trigger.Every, s.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                try { await trigger.Run(s, ct); }
                catch (Exception e) when (e is not OperationCanceledException) { log.LogError(e, "{Timer}", trigger.Name); }
            }
        }
        catch (OperationCanceledException) { /* stopping */ }
    }
}
