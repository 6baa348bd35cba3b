using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>
/// How far a webhook is. One row in a partition of its own, beside the events that were put off and the log of deliveries; written by nobody but
/// <see cref="Runner"/>, one run at a time. Nothing is written for an event until it was tried.
/// </summary>
public sealed record HookState
{
    /// <summary>All up to it is delivered, put off or not wanted.</summary>
    public long Cursor { get; init; }
    /// <summary>Beyond the cursor, delivered or put off already.</summary>
    public long[] Done { get; init; } = [];
    /// <summary>Nobody answers there. Until its next attempt nothing is sent.</summary>
    public Outage? Outage { get; init; }
    /// <summary>Resources whose next event was refused; what comes after it is put off, so that they stay in order.</summary>
    public Stuck[] Stuck { get; init; } = [];
    /// <summary>Events that were put off, all together.</summary>
    public int Late { get; init; }
    /// <summary>Its receiver takes its time: it is served where only others like it wait.</summary>
    public bool Slow { get; init; }
    /// <summary>To be delivered once more, as somebody asked.</summary>
    public Span[] Again { get; init; } = [];
    /// <summary>Attempts so far; numbers of the log of deliveries.</summary>
    public long Sent { get; init; }
    /// <summary>When a message will wake it.</summary>
    public DateTimeOffset? Due { get; init; }

    private const string Key = "state";

    public static string PartitionOf(string hook) => "webhook." + hook;

    public static async ValueTask<(HookState State, string? ETag)> Load(IEntityStore store, Webhook hook, CancellationToken ct = default) =>
        await store.Get(PartitionOf(hook.Id), Key, ct) is { } row ? (Json.Read<HookState>(row.Body), row.ETag)
        : (new() { Cursor = EventBody.TryRead(hook.Cursor, out var from) ? from : 0 }, null);

    public Op Write(string? tag) => tag is null ? new Op.Insert(Key, Json.Write(this)) : new Op.Replace(Key, Json.Write(this), tag);
}

/// <param name="Attempts">That failed, one after the other.</param>
public sealed record Outage(DateTimeOffset Since, int Attempts, DateTimeOffset Next, string Reason);

public sealed record Stuck(string Subject, DateTimeOffset Since, int Attempts, DateTimeOffset Next, string Reason);

/// <summary>The events after a number, up to and with another.</summary>
public sealed record Span(long After, long Until);

/// <summary>An event that was put off.</summary>
public sealed record LateEvent(long Number)
{
    private const string Prefix = "late|";

    public static string Key(string subject, long number) => $"{Prefix}{Keys.Safe(subject)}|{EventBody.Text(number)}";

    /// <summary>The first of a resource, in order.</summary>
    public static async ValueTask<IReadOnlyList<long>> Of(IEntityStore store, string hook, string subject, int most, CancellationToken ct)
    {
        var (from, to) = Keys.Range($"{Prefix}{Keys.Safe(subject)}|");
        return [.. (await store.List(HookState.PartitionOf(hook), from, to, most, ct)).Select(r => Json.Read<LateEvent>(r.Body).Number)];
    }
}
