using System.Runtime.CompilerServices;
using Cloud.Platform.Bus;

namespace Cloud.Tests.Kit;

/// <summary>A bus behind a broker, whose waiting ends: where the clock of a test stands still, what never comes would be waited for for ever.</summary>
public sealed class PatientBus(IBus inner) : IBus
{
    public async ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default) => await Within(Done(inner.Send(messages, ct)));
    public ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default) => Within(inner.Receive(queue, max, lockFor, wait, ct).AsTask());
    public ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default) => Within(inner.Complete(delivery, ct).AsTask());
    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => Within(inner.Abandon(delivery, delay, ct).AsTask());
    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => Within(inner.Reject(delivery, reason, ct).AsTask());
    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => Within(inner.Renew(delivery, lockFor, ct).AsTask());
    public ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => Within(inner.DeadLetters(queue, max, ct).AsTask());
    public ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default) => Within(inner.Replay(queue, messageId, ct).AsTask());
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) => Within(inner.Depths(ct).AsTask());

    private static async Task<bool> Done(ValueTask task)
    {
        await task;
        return true;
    }

    private static async ValueTask<T> Within<T>(Task<T> task, [CallerMemberName] string what = "")
    {
        try { return await task.WaitAsync(Patience.Span); }
        catch (TimeoutException) when (!task.IsCompleted) { throw new TimeoutException($"{what}: nothing came of it in {Patience.Span}"); }
    }
}
