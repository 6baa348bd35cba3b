using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Billing;

/// <summary>Closes months once they are over. What is done is remembered, so an hour in which nothing is to be done costs two reads.</summary>
public static class Closing
{
    /// <summary>After the month's end, for events that are still on their way. What comes later is corrected on the next invoice.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(1);
    private const string Partition = "billing", Done = "closed-through";
    private sealed record Mark(string Month);

    /// <summary>All months up to this one are closed, in every project.</summary>
    public static async ValueTask<Month?> Through(IEntityStore store, CancellationToken ct = default) =>
        await store.Get(Partition, Done, ct) is { } row ? Month.Parse(Json.Read<Mark>(row.Body).Month) : null;

    /// <summary>The first month that is billed: that in which the first version of the price book begins. Null without a book.</summary>
    public static async ValueTask<Month?> First(IEntityStore store, CancellationToken ct = default) => await Books.All(store, ct) is [var book, ..] ? Month.Of(book.ValidFrom) : null;

    public static async Task Run(Services s, CancellationToken ct)
    {
        var through = await Through(s.Store, ct);
        if (through is { } t && t.Add(2).Begin + Grace > s.Now) return;
        if ((through?.Add(1) ?? await First(s.Store, ct)) is not { } month) return;
        for (; month.End + Grace <= s.Now; month = month.Add(1))
        {
            foreach (var project in await Metering.Facade.Projects(s.Store, ct)) await Invoices.Close(s, project, month, ct);
            await s.Store.Commit(Partition, [new Op.Upsert(Done, Json.Write(new Mark(month.Name)))], ct: ct);
        }
    }
}
