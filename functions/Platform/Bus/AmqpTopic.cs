namespace Cloud.Platform.Bus;

/// <summary>Somebody who is no host and may receive from topics.</summary>
/// <param name="Name">Whose newest connections replace his oldest.</param>
/// <param name="Open">A topic by its address, for a subscription by its name.</param>
public sealed record AmqpGuest(string Name, Func<string, string, ValueTask<IAmqpTopic>> Open);

/// <summary>A stream that one subscription reads. Numbers grow.</summary>
public interface IAmqpTopic
{
    /// <summary>Unique in the cloud: a subscription has one reader, the newest.</summary>
    string Name { get; }

    /// <summary>Waits for the next ones, up to <paramref name="most"/>; none when it looked in vain for a while.</summary>
    /// <exception cref="UnauthorizedAccessException">The subscriber may no longer read.</exception>
    ValueTask<IReadOnlyList<AmqpItem>> Next(int most, CancellationToken ct);

    /// <summary>All up to it are settled: whoever attaches to the subscription again begins after it.</summary>
    /// <exception cref="UnauthorizedAccessException">The subscription is no longer there, or somebody else's.</exception>
    ValueTask Settled(long number, CancellationToken ct);
}

/// <param name="Id">The same however often it comes.</param>
/// <param name="Group">Messages of one group are in order.</param>
public sealed record AmqpItem(long Number, string Id, string Subject, string Group, string ContentType, ReadOnlyMemory<byte> Body);

/// <summary>What an address or a name of a subscription can't be. The text goes to the client.</summary>
public sealed class AmqpRefusal(string condition, string why) : Exception(why)
{
    public string Condition => condition;
}
