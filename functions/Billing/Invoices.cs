using System.Globalization;
using System.Security.Cryptography;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Billing;

/// <summary>
/// Closed invoices, which never change, and drafts, which are computed when asked for. An invoice is closed by the insert of its head, together with the
/// counter of numbers, so numbers have no holes. Its items are written before, under their hash: what a kill leaves of them belongs to no head.
/// </summary>
public static class Invoices
{
    private static readonly Announcement Final = new("/rating", "cloud.serverless.rating.invoice.closed");
    private const string Heads = "invoices", Counter = "numbers";
    private const int ItemsARow = 80, RowsACommit = 20;
    private sealed record Numbers(long Last);

    private static string HeadKey(string project, Month month) => $"invoice|{Keys.Safe(project)}|{month.Name}";
    private static string Partition(string project) => "billing." + project;
    private static string ItemsPrefix(Month month) => $"item|{month.Name}|";

    /// <summary>A closed one; null while it is open, or when there was nothing to bill.</summary>
    public static async ValueTask<Invoice?> Closed(IEntityStore store, string project, Month month, CancellationToken ct = default) =>
        await store.Get(Heads, HeadKey(project, month), ct) is { } row ? Json.Read<Invoice>(row.Body) : null;

    /// <summary>A project's closed ones, the oldest first.</summary>
    public static async ValueTask<IReadOnlyList<Invoice>> Of(IEntityStore store, string project, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range($"invoice|{Keys.Safe(project)}|");
        return [.. (await store.List(Heads, from, to, ct: ct)).Select(r => Json.Read<Invoice>(r.Body))];
    }

    /// <summary>The items of a closed one; null where there is none.</summary>
    public static async ValueTask<IReadOnlyList<LineItem>?> Items(IEntityStore store, string project, Month month, CancellationToken ct = default)
    {
        if (await Closed(store, project, month, ct) is not { } invoice) return null;
        var (from, to) = Keys.Range(ItemsPrefix(month) + invoice.Hash[..16] + "|");
        return [.. (await store.List(Partition(project), from, to, ct: ct)).SelectMany(r => Json.Read<LineItem[]>(r.Body))];
    }

    /// <summary>The closed one, or what it would be if the month ended now.</summary>
    public static async ValueTask<(Invoice Invoice, IReadOnlyList<LineItem> Items)> Show(IEntityStore store, string project, Month month, DateTimeOffset now, CancellationToken ct = default)
    {
        if (await Closed(store, project, month, ct) is { } closed) return (closed, (await Items(store, project, month, ct))!);
        var until = now < month.End ? now : month.End;
        var items = await Bills.Compose(store, project, month, until, ct);
        return (Head(await Books.All(store, ct), project, month, until, items), items);
    }

    /// <summary>Closes a month of a project. May be killed anywhere and run again, or by two at once.</summary>
    public static async Task Close(Services s, string project, Month month, CancellationToken ct = default)
    {
        if (await Closed(s.Store, project, month, ct) is null && await Bills.Compose(s.Store, project, month, month.End, ct) is { Count: > 0 } items)
        {
            var head = Head(await Books.All(s.Store, ct), project, month, month.End, items);
            var rows = items.Chunk(ItemsARow).Select((some, i) => (Op)new Op.Upsert($"{ItemsPrefix(month)}{head.Hash[..16]}|{i.ToString("D6", CultureInfo.InvariantCulture)}", Json.Write(some)));
            foreach (var some in rows.Chunk(RowsACommit)) await s.Store.Commit(Partition(project), some, ct: ct);
            while (await Closed(s.Store, project, month, ct) is null)
            {
                var counter = await s.Store.Get(Heads, Counter, ct);
                var number = (counter is null ? 0 : Json.Read<Numbers>(counter.Body).Last) + 1;
                var closed = head with { Number = $"INV-{number.ToString("D6", CultureInfo.InvariantCulture)}", ClosedAt = s.Now };
                var next = Json.Write(new Numbers(number));
                try { await s.Store.Commit(Heads, [new Op.Insert(HeadKey(project, month), Json.Write(closed)), counter is null ? new Op.Insert(Counter, next) : new Op.Replace(Counter, next, counter.ETag)], [Told(s, closed)], ct); }
                catch (ConflictException) { /* another number was given, or another process closed this one */ }
            }
        }
        await Tidy(s.Store, project, month, ct);
    }

    /// <summary>Removes items that were written for a head that came to nothing.</summary>
    private static async Task Tidy(IEntityStore store, string project, Month month, CancellationToken ct)
    {
        if (await Closed(store, project, month, ct) is not { } invoice) return;
        var (from, to) = Keys.Range(ItemsPrefix(month));
        foreach (var some in (await store.List(Partition(project), from, to, ct: ct)).Where(r => !r.Key.StartsWith(ItemsPrefix(month) + invoice.Hash[..16] + "|", StringComparison.Ordinal)).Chunk(100))
            await store.Commit(Partition(project), [.. some.Select(r => new Op.Delete(r.Key))], ct: ct);
    }

    private static Invoice Head(IReadOnlyList<PriceBook> books, string project, Month month, DateTimeOffset until, IReadOnlyList<LineItem> items)
    {
        var (currency, places) = books.Count > 0 ? (books[0].Currency, books[0].Places) : ("XXX", 2);
        var sum = items.Sum(i => i.Amount);
        return new(null, project, month.Name, currency, places, until, null, sum, Money.Total(sum, places), items.Count, Convert.ToHexStringLower(SHA256.HashData(Json.Write(items))), Invoice.LinesOf(items));
    }

    private static Message Told(Services s, Invoice i) =>
        Final.Of(s, $"invoice:{i.Number}", i.Number!, new() { ["project_id"] = i.Project, ["number"] = i.Number, ["month"] = i.Month, ["currency"] = i.Currency, ["total"] = Money.Text(i.Total, i.Places) });
}
