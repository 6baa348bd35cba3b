using System.Globalization;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Billing;

/// <summary>
/// The versions of the price book, each a row that never changes. One that has begun stays for good; one that hasn't may be taken back.
/// A head beside them is written with each change, so that two at the same time can't both have been checked against what was before.
/// </summary>
public static class Books
{
    private const string Partition = "billing", Head = "book-head";
    private const int MostVersions = 1000;
    private sealed record Changes(long Count);

    /// <summary>All versions, by their beginnings.</summary>
    public static async ValueTask<IReadOnlyList<PriceBook>> All(IEntityStore store, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range("book|");
        return [.. (await store.List(Partition, from, to, ct: ct)).Select(r => Json.Read<PriceBook>(r.Body))];
    }

    public static PriceBook? At(IReadOnlyList<PriceBook> books, DateTimeOffset t) => books.LastOrDefault(b => b.ValidFrom <= t);

    /// <exception cref="Fault">400 or 409 with the reason.</exception>
    public static ValueTask<PriceBook> Add(Services s, PriceBook book, CancellationToken ct = default) => Add(s, _ => book, ct);

    /// <param name="make">The new version from those that are there. Without a beginning it begins now.</param>
    public static async ValueTask<PriceBook> Add(Services s, Func<IReadOnlyList<PriceBook>, PriceBook> make, CancellationToken ct = default)
    {
        while (true)
        {
            var head = await s.Store.Get(Partition, Head, ct);
            var books = await All(s.Store, ct);
            var (book, now) = (make(books), s.Now);
            if (book.ValidFrom == default) book = book with { ValidFrom = Free(books, now) };
            Check(books, book, now);
            try
            {
                await s.Store.Commit(Partition, [new Op.Insert(Key(book.ValidFrom), Json.Write(book)), Changed(head)], [BudgetWatch.PricesChanged(s)], ct);
                return book;
            }
            catch (ConflictException) { /* somebody else changed the book: check anew */ }
        }
    }

    /// <returns>False when there is no such version.</returns>
    /// <exception cref="Fault">409 when it holds already, or what would remain doesn't fit together.</exception>
    public static async Task<bool> TakeBack(Services s, DateTimeOffset validFrom, CancellationToken ct = default)
    {
        while (true)
        {
            var head = await s.Store.Get(Partition, Head, ct);
            var books = (await All(s.Store, ct)).ToList();
            if (books.RemoveAll(b => b.ValidFrom == validFrom) == 0) return false;
            if (validFrom <= s.Now) throw Fault.Conflict("This version holds already: what was billed by it could not be explained any more. Add a version that begins later.");
            if (At(books, validFrom) is { } before && books.Find(b => b.ValidFrom > validFrom) is { } after) Joins(before, after);
            try
            {
                await s.Store.Commit(Partition, [new Op.Delete(Key(validFrom)), Changed(head)], [BudgetWatch.PricesChanged(s)], ct);
                return true;
            }
            catch (ConflictException) { /* as above */ }
        }
    }

    /// <summary>This millisecond, or the next at which no version begins.</summary>
    private static DateTimeOffset Free(IReadOnlyList<PriceBook> books, DateTimeOffset now)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        while (books.Any(b => b.ValidFrom == at)) at = at.AddMilliseconds(1);
        return at;
    }

    private static void Check(IReadOnlyList<PriceBook> books, PriceBook book, DateTimeOffset now)
    {
        if (books.Any(b => b.ValidFrom == book.ValidFrom)) throw Fault.Conflict($"The versions overlap: one begins at {book.ValidFrom:O} already.");
        if (books.Count >= MostVersions) throw Fault.Conflict($"There are {MostVersions} versions already.");
        // The very first one may begin in the past: nothing was billed yet, and what was used since then shall be.
        if (books.Count > 0 && book.ValidFrom < DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds())) throw Fault.Conflict("A version can't begin in the past: what holds there never changes.");
        if (books.Count == 0 && book.ValidFrom < now.AddYears(-1)) throw Fault.BadRequest("The first version may begin a year ago at the earliest.");
        if (books.Count > 0 && books[0] is var first && (first.Currency, first.Places) != (book.Currency, book.Places))
            throw Fault.Conflict($"All versions are in one currency, {first.Currency} with {first.Places} decimals; this one is in {book.Currency} with {book.Places}.");
        if (At(books, book.ValidFrom) is { } before) Joins(before, book);
        if (books.FirstOrDefault(b => b.ValidFrom > book.ValidFrom) is { } after) Joins(book, after);
    }

    /// <summary>What had a price still has one: giving something away is a price of 0, said in so many words.</summary>
    private static void Joins(PriceBook before, PriceBook after)
    {
        if (before.Prices.FirstOrDefault(p => !after.Prices.Any(q => PriceBook.Covers(q.Meter, p.Meter))) is { } lost)
            throw Fault.BadRequest($"A gap: '{lost.Meter}' has a price before {after.ValidFrom:O} and none from then on. Give it a price, 0 if it shall cost nothing.");
    }

    private static Op Changed(Row? head) => head is null ? new Op.Insert(Head, Json.Write(new Changes(1))) : new Op.Replace(Head, Json.Write(new Changes(Json.Read<Changes>(head.Body).Count + 1)), head.ETag);

    private static string Key(DateTimeOffset from) => "book|" + from.ToUnixTimeMilliseconds().ToString("D15", CultureInfo.InvariantCulture);
}
