namespace Cloud.Billing;

/// <summary>A share of an item at one price.</summary>
/// <param name="Used">In what the meter's sums are told in.</param>
/// <param name="Free">It lies in the month's free quota.</param>
public sealed record Part(decimal Used, decimal Price, bool Free);

/// <summary>What one resource's use of one meter costs, in one month, at the prices of one version of the book.</summary>
/// <param name="Id">Made of what the item is about, so that the same item has the same id whenever it is computed.</param>
/// <param name="Price">The meter or pattern of the price; null for what has none: it is shown, and costs nothing.</param>
/// <param name="Book">When the version of the price book begins.</param>
/// <param name="From">The item's first millisecond of use; <paramref name="To"/> the end of its last.</param>
/// <param name="Used">In <paramref name="Told"/>: seconds, GiB-seconds, byte-seconds or bytes; exact.</param>
/// <param name="Discount">Percent.</param>
/// <param name="Amount">Rounded once, see <see cref="Money"/>.</param>
/// <param name="Corrects">Id of the item of an earlier month that this one sets right; then what was used and the amount are what was missing, or too much (negative).</param>
public sealed record LineItem(string Id, string Month, string Resource, string Meter, string? Price, DateTimeOffset? Book, string? Unit, DateTimeOffset From, DateTimeOffset To,
    decimal Used, string Told, Part[] Parts, decimal Discount, decimal Amount, string? Corrects = null);
