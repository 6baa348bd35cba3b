using System.Globalization;
using System.Text.Json;

namespace Cloud.Demo.Steps;

/// <summary>What the project is to pay, to which nothing is added any more, though the month goes on; and that the bill is exactly what its intervals and amounts say.</summary>
internal static class Bill
{
    private sealed record Item(string Resource, string Kind, string Meter, string Unit, string Units, decimal Used, decimal Price, decimal Amount);

    internal static async Task Run(Stage s)
    {
        var token = await s.Admin.Run("token", "issue", "-f", "value", "-c", "id");
        var of = $"project_id={s.Made.Project}";
        // What passed a floating IP is told of with the next sample.
        await s.Until("the bytes through the floating IP are on the bill", TimeSpan.FromMinutes(1), async () =>
        {
            var traffic = (await Items(s, token, of)).Where(i => i.Meter.StartsWith("floatingip-traffic.", StringComparison.Ordinal)).ToList();
            return (traffic.Count == 2, traffic.Count == 0 ? "none yet" : string.Join(", ", traffic.Select(i => string.Create(CultureInfo.InvariantCulture, $"{i.Used:#,0} {i.Meter.Split('.')[1]}"))));
        });

        var items = new List<Item>();
        await s.Until("the items are the integral of the intervals and the sum of the amounts, to the millisecond and the byte", TimeSpan.FromSeconds(30), async () =>
        {
            items = await Items(s, token, of);
            var (billed, truth) = (items.GroupBy(i => (i.Resource, i.Meter)).ToDictionary(g => g.Key, g => g.Sum(i => i.Used)), await Truth(s, token, of));
            var wrong = billed.Keys.Union(truth.Keys).Where(k => billed.GetValueOrDefault(k) != truth.GetValueOrDefault(k)).Select(k => $"{k.Meter} of {k.Resource}: billed {billed.GetValueOrDefault(k)}, used {truth.GetValueOrDefault(k)}").ToList();
            return (wrong.Count == 0, wrong.Count == 0 ? $"{items.Count} items" : string.Join("; ", wrong));
        });
        var invoice = await s.Cloud.Get(token, $"/billing/v1/invoices/{Month()}?{of}", s.Stop);
        s.Exhibit($"the bill of project acme, {invoice.GetProperty("status").GetString()} of {Month()}", Table(items, invoice));
        var twice = items.GroupBy(i => (i.Resource, i.Meter)).Where(g => g.Count() > 1).Select(g => $"{g.Key.Meter} of {g.Key.Resource}").ToList();
        s.Expect(twice.Count == 0, "each meter of each resource stands on the bill once", "two servers, a volume, a router and an address that moved", string.Join(", ", twice));
        var priced = items.Where(i => Math.Abs((i.Used / Per(i) * i.Price) - i.Amount) > 0.0000000001m).Select(i => i.Meter).ToList();
        s.Expect(priced.Count == 0, "each item costs what was used times its price", "recomputed by hand", string.Join(", ", priced));
        var (sum, total) = (items.Sum(i => i.Amount), decimal.Parse(invoice.GetProperty("total").GetString()!, CultureInfo.InvariantCulture));
        s.Expect(decimal.Round(sum, 4, MidpointRounding.ToEven) == total && total > 0, "the total is their sum", string.Create(CultureInfo.InvariantCulture, $"{total} EUR"), $"{sum} and {total}");
        s.Measured.Add(("the demo project's bill", string.Create(CultureInfo.InvariantCulture, $"{total} EUR")));
    }

    /// <summary>Recomputed from what the ledger says: quantity times seconds of each interval, and what hosts counted.</summary>
    private static async Task<Dictionary<(string Resource, string Meter), decimal>> Truth(Stage s, string token, string of)
    {
        var sums = new Dictionary<(string, string), decimal>();
        void Add(JsonElement resource, JsonElement meter, decimal amount)
        {
            if (amount > 0 && (resource.GetString()!, meter.GetString()!) is var key) sums[key] = sums.GetValueOrDefault(key) + amount;
        }
        foreach (var i in (await s.Cloud.Get(token, $"/metering/v1/intervals?limit=1000&{of}", s.Stop)).GetProperty("intervals").EnumerateArray())
            Add(i.GetProperty("resource"), i.GetProperty("meter"), i.GetProperty("quantity").GetInt64() * (i.GetProperty("to").GetDateTimeOffset() - i.GetProperty("from").GetDateTimeOffset()).Ticks / (decimal)TimeSpan.TicksPerSecond);
        foreach (var e in (await s.Cloud.Get(token, "/events/v1/events?limit=1000&all_projects=true&type=cloud.serverless.metering.amount.counted", s.Stop)).EnumerateArray().DistinctBy(e => e.GetProperty("id").GetString()))
            if (e.GetProperty("data") is var d && of.EndsWith(d.GetProperty("project_id").GetString()!, StringComparison.Ordinal)) Add(e.GetProperty("subject"), d.GetProperty("meter"), d.GetProperty("quantity").GetInt64());
        return sums;
    }

    private static async Task<List<Item>> Items(Stage s, string token, string of) =>
    [
        .. (await s.Cloud.Get(token, $"/billing/v1/invoices/{Month()}/items?limit=1000&{of}", s.Stop)).GetProperty("items").EnumerateArray().Select(i =>
        {
            string Text(string name) => i.GetProperty(name).GetString() ?? throw new DemoFault("a price for everything", i.GetRawText());
            return new Item(Text("resource"), Text("kind"), Text("meter"), Text("unit"), Text("units"), Number(i.GetProperty("used")), Number(i.GetProperty("parts")[0].GetProperty("unit_price")), Number(i.GetProperty("amount")));
        }),
    ];

    private static IEnumerable<string> Table(List<Item> items, JsonElement invoice)
    {
        yield return $"{"what",-25} {"resource",-12} {"used",14} {"unit",-9} {"each",8} {"EUR",12}";
        foreach (var i in items.OrderBy(i => i.Kind, StringComparer.Ordinal).ThenBy(i => i.Meter, StringComparer.Ordinal).ThenBy(i => i.Resource, StringComparer.Ordinal))
            yield return string.Create(CultureInfo.InvariantCulture, $"{i.Meter,-25} {"..." + i.Resource[^8..],-12} {i.Units,14} {i.Unit,-9} {i.Price,8} {i.Amount,12:0.00000000}");
        yield return $"{"total",-73} {invoice.GetProperty("total").GetString(),12}";
    }

    /// <summary>How many of what a meter is told in make one unit of the price.</summary>
    private static decimal Per(Item i) => i.Unit switch { "second" => 1, "hour" => 3600, "GiB-hour" => i.Meter.EndsWith(".gib", StringComparison.Ordinal) ? 3600 : 3600m * (1L << 30), "GB" => 1_000_000_000, _ => throw new DemoFault("a unit of the demo's price book", i.Unit) };

    private static decimal Number(JsonElement text) => decimal.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    private static string Month() => TimeProvider.System.GetUtcNow().ToString("yyyy-MM", CultureInfo.InvariantCulture);
}
