namespace Cloud.Platform.Bus;

/// <summary>One message.</summary>
/// <param name="Id">A message whose id is still in the queue is not added a second time.</param>
/// <param name="Session">Messages of one session are delivered one at a time, in order of sending.</param>
/// <param name="NotBefore">Not delivered earlier.</param>
public sealed record Message(string Queue, string Id, ReadOnlyMemory<byte> Body, string? Session = null, DateTimeOffset? NotBefore = null);

/// <summary>A message lent to a receiver until <paramref name="LockedUntil"/>.</summary>
/// <param name="Attempt">1 for the first delivery.</param>
/// <param name="Lock">Names this lending; settling with an expired lock does nothing and returns false.</param>
public sealed record Delivery(Message Message, int Attempt, string Lock, DateTimeOffset LockedUntil);

/// <summary>A message that was given up, kept until an operator replays or removes it.</summary>
public sealed record DeadLetter(Message Message, int Attempts, string Reason, DateTimeOffset At);

/// <summary>Queues with at-least-once delivery. A queue exists when first named.</summary>
public interface IBus
{
    ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default);

    /// <summary>Up to <paramref name="max"/> messages that are due, each locked for <paramref name="lockFor"/>. Waits up to <paramref name="wait"/> for the first; returns none when there is none.</summary>
    ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default);

    ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default);

    /// <summary>Back to the queue, due again after <paramref name="delay"/>.</summary>
    ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default);

    ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default);

    ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default);

    ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default);

    /// <summary>Puts a dead letter back as a fresh message; false when it is not there.</summary>
    ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default);

    /// <summary>Messages per queue, locked and delayed ones included, dead letters not.</summary>
    ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default);
}
