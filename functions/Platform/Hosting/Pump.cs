using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cloud.Platform.Bus;

namespace Cloud.Platform.Hosting;

/// <summary>Feeds one queue's messages to its trigger when no Functions host does it: several at once, locks renewed, failures given back with a growing delay.</summary>
public sealed class Pump(Services services, QueueTrigger trigger, ILogger log)
{
    private static readonly TimeSpan LockFor = TimeSpan.FromSeconds(30);

    /// <summary>An hour, which ten attempts make ten of.</summary>
    private const int PatientTries = 150;

    private readonly ConcurrentDictionary<string, Delivery> _inHand = new();

    /// <summary>How long a message that failed rests: 0.2 s at first, at most 25 s.</summary>
    public static TimeSpan Pause(int attempt) => TimeSpan.FromSeconds(0.1 * (1 << Math.Min(attempt, 8)));

    /// <summary>Tells the operator of a message that fails for the last time.</summary>
    public static ValueTask GivenUp(Services services, Delivery delivery) => services.Bus.Send([Events.CloudEvent.Alert(services, "dead-letter", $"{delivery.Message.Queue}/{delivery.Message.Id}", "",
        $"A message of the queue {delivery.Message.Queue} was given up after {delivery.Attempt} attempts.")], CancellationToken.None);

    public async Task Run(CancellationToken ct)
    {
        using var slots = new SemaphoreSlim(trigger.Parallel);
        var renewing = Renew(ct);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await slots.WaitAsync(ct);
                slots.Release();
                var batch = await services.Bus.Receive(trigger.Queue, Math.Max(1, slots.CurrentCount), LockFor, TimeSpan.FromMinutes(5), ct);
                foreach (var delivery in batch)
                {
                    await slots.WaitAsync(ct);
                    _ = One(delivery, slots, ct);
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { break; }
            catch (State.StoreUnavailableException e)
            {
                log.LogError(e, "{Queue} can't be read", trigger.Queue);
                await Task.Delay(TimeSpan.FromSeconds(1), services.Clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await renewing;
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever a message does to its handler, the pump goes on")]
    private async Task One(Delivery delivery, SemaphoreSlim slots, CancellationToken ct)
    {
        _inHand[delivery.Lock] = delivery;
        try
        {
            await Handle(delivery, ct);
            await services.Bus.Complete(delivery, CancellationToken.None);
            Numbers.Message(trigger.Queue, failed: false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping: the message comes again at the next start.
        }
        catch (Exception e)
        {
            Numbers.Message(trigger.Queue, failed: true);
            log.LogWarning(e, "{Queue} {Message}, attempt {Attempt}", trigger.Queue, delivery.Message.Id, delivery.Attempt);
            try
            {
                if (delivery.Attempt >= Local.QueueEngine.MaxAttempts) await GivenUp(services, delivery);
                await services.Bus.Abandon(delivery, Pause(delivery.Attempt), CancellationToken.None);
            }
            catch (State.StoreUnavailableException) { /* its lock runs out and it comes again */ }
        }
        finally
        {
            _inHand.TryRemove(delivery.Lock, out _);
            slots.Release();
        }
    }

    /// <summary>A store that can't be used, say for want of room, is no fault of the message: it is kept in hand and tried again, which counts as no attempt.</summary>
    private async Task Handle(Delivery delivery, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
            try
            {
                await trigger.Handle(services, delivery, ct);
                return;
            }
            catch (State.StoreUnavailableException e) when (tries < PatientTries)
            {
                log.LogWarning(e, "{Queue} {Message} waits for the store", trigger.Queue, delivery.Message.Id);
                await Task.Delay(Pause(tries), services.Clock, ct);
            }
    }

    /// <summary>One clock for all that is in hand: most messages are done long before it ticks.</summary>
    private async Task Renew(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(LockFor / 3, services.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
                foreach (var delivery in _inHand.Values)
                    try { await services.Bus.Renew(delivery, LockFor, ct); }
                    catch (State.StoreUnavailableException) { /* its lock may run out; then it comes twice */ }
        }
        catch (OperationCanceledException) { /* stopping */ }
    }
}
