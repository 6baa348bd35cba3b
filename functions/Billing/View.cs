using System.Globalization;
using System.Text.Json.Nodes;

namespace Cloud.Billing;

/// <summary>Bills and prices as JSON. Money and amounts of use are texts: binary fractions would change them.</summary>
public static class View
{
    public static string Time(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public static JsonObject Of(Invoice i, string baseUrl, string query) => new()
    {
        ["number"] = i.Number, ["status"] = i.Closed ? "closed" : "draft", ["project_id"] = i.Project, ["month"] = i.Month, ["currency"] = i.Currency, ["until"] = Time(i.Until), ["closed_at"] = i.ClosedAt is { } t ? Time(t) : null,
        ["sum"] = Money.Text(i.Sum), ["total"] = Money.Text(i.Total, i.Places), ["items"] = i.Items, ["sha256"] = i.Hash,
        ["lines"] = new JsonArray([.. i.Lines.Select(l => (JsonNode)new JsonObject
        {
            ["price"] = l.Price, ["unit"] = l.Unit, ["corrects"] = l.Corrects, ["units"] = Units(l.Used, l.Told, l.Unit), ["used"] = Money.Text(l.Used), ["used_in"] = l.Told, ["resources"] = l.Resources, ["amount"] = Money.Text(l.Amount), ["priced"] = l.Unit is not null,
        })]),
        ["links"] = new JsonObject
        {
            ["items"] = $"{baseUrl}/v1/invoices/{i.Month}/items{query}", ["csv"] = $"{baseUrl}/v1/invoices/{i.Month}/csv{query}", ["html"] = $"{baseUrl}/v1/invoices/{i.Month}/html{query}",
        },
    };

    public static JsonObject Of(LineItem i, string baseUrl, string query) => new()
    {
        ["id"] = i.Id, ["month"] = i.Month, ["resource"] = i.Resource.Split('|', 2)[1], ["kind"] = i.Resource.Split('|', 2)[0], ["meter"] = i.Meter, ["price"] = i.Price, ["book"] = i.Book is { } b ? Time(b) : null,
        ["from"] = Time(i.From), ["to"] = Time(i.To), ["unit"] = i.Unit, ["units"] = Units(i.Used, i.Told, i.Unit), ["used"] = Money.Text(i.Used), ["used_in"] = i.Told,
        ["parts"] = new JsonArray([.. i.Parts.Select(p => (JsonNode)new JsonObject { ["units"] = Units(p.Used, i.Told, i.Unit), ["used"] = Money.Text(p.Used), ["unit_price"] = Money.Text(p.Price), ["free"] = p.Free })]),
        ["discount_percent"] = Money.Text(i.Discount), ["amount"] = Money.Text(i.Amount), ["corrects"] = i.Corrects, ["links"] = new JsonObject { ["self"] = $"{baseUrl}/v1/items/{i.Id}{query}" },
    };

    public static JsonObject Of(PriceBook b, Func<Discount, bool> sees) => new()
    {
        ["valid_from"] = Time(b.ValidFrom), ["currency"] = b.Currency, ["decimals"] = b.Places,
        ["prices"] = new JsonArray([.. b.Prices.Select(p => (JsonNode)new JsonObject
        {
            ["meter"] = p.Meter, ["unit"] = p.Unit, ["free_per_month"] = Money.Text(p.Free),
            ["tiers"] = new JsonArray([.. p.Tiers.Select(t => (JsonNode)new JsonObject { ["from"] = Money.Text(t.From), ["to"] = t.To is { } to ? Money.Text(to) : null, ["price"] = Money.Text(t.Price) })]),
        })]),
        ["discounts"] = new JsonArray([.. b.Discounts.Where(sees).Select(d => (JsonNode)new JsonObject { ["project_id"] = d.Project, ["meter"] = d.Meter, ["percent"] = Money.Text(d.Percent) })]),
    };

    /// <summary>So many of the price's unit, to six places, to read.</summary>
    public static string? Units(decimal used, string told, string? unit) =>
        unit is null || Unit.Named(unit) is not { } u ? null : Money.Text(u.Shown(new System.Numerics.BigInteger(told == "bytes" ? used : used * 1000) * Unit.Of(told).Factor));
}
