using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>One attempt to deliver one event.</summary>
/// <param name="Number">Counts the webhook's attempts, from 1.</param>
/// <param name="Event">The event's number in the webhook's log: the payload is there, kept once.</param>
/// <param name="Status">Of the answer; 0 for none.</param>
/// <param name="Outcome">delivered, failed (it is tried again), or given_up.</param>
/// <param name="Again">Somebody asked for it once more.</param>
public sealed record DeliveryEntry(long Number, long Event, string EventId, string Type, string Subject, int Attempt, DateTimeOffset At, int Milliseconds, int Status, string Error, string Outcome, bool Again)
{
    public const string Delivered = "delivered", Failed = "failed", GivenUp = "given_up";
}

/// <summary>The attempts of one run together in a row, the newest row first. Bounded in number and age.</summary>
public static class DeliveryLog
{
    public const long Most = 10_000;
    private const long Top = 9_999_999_999_999_998;

    public static Op Write(IReadOnlyList<DeliveryEntry> page) => new Op.Insert(Key(page[0].Number), Json.Write(page));

    /// <summary>Those before a number (null for the newest), newest first.</summary>
    public static async IAsyncEnumerable<DeliveryEntry> Before(IEntityStore store, string hook, long? number, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct = default)
    {
        var from = number is { } n ? Key(n) : Key(Top);
        while (true)
        {
            var rows = await store.List(HookState.PartitionOf(hook), from, Key(-1), 20, ct);
            foreach (var row in rows)
                foreach (var entry in Json.Read<DeliveryEntry[]>(row.Body).Reverse())
                    if (number is null || entry.Number < number) yield return entry;
            if (rows.Count < 20) yield break;
            from = rows[^1].Key + '\0';
        }
    }

    public static async ValueTask<DeliveryEntry?> Find(IEntityStore store, string hook, long number, CancellationToken ct) =>
        number > 0 && await store.List(HookState.PartitionOf(hook), Key(number), Key(-1), 1, ct) is [var row] ? Array.Find(Json.Read<DeliveryEntry[]>(row.Body), e => e.Number == number) : null;

    /// <summary>What a run deletes while it adds: pages that are too many.</summary>
    public static async ValueTask<IEnumerable<Op>> Overflow(IEntityStore store, string hook, long last, CancellationToken ct) =>
        last <= Most ? [] : (await store.List(HookState.PartitionOf(hook), Key(last - Most), Key(-1), 8, ct)).Select(r => new Op.Delete(r.Key));

    /// <summary>Removes what is older than events are kept.</summary>
    public static async Task Trim(Services s, string hook, DateTimeOffset before, CancellationToken ct)
    {
        var old = new List<Op>();
        await foreach (var row in Pages(s.Store, hook, ct))
            if (Json.Read<DeliveryEntry[]>(row.Body)[^1].At < before) old.Add(new Op.Delete(row.Key));
        foreach (var some in old.Chunk(100)) await s.Store.Commit(HookState.PartitionOf(hook), some, ct: ct);
    }

    private static async IAsyncEnumerable<Row> Pages(IEntityStore store, string hook, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (var from = Key(Top); ;)
        {
            var rows = await store.List(HookState.PartitionOf(hook), from, Key(-1), 200, ct);
            foreach (var row in rows) yield return row;
            if (rows.Count < 200) yield break;
            from = rows[^1].Key + '\0';
        }
    }

    private static string Key(long number) => "sent|" + EventBody.Text(Top - number);
}
