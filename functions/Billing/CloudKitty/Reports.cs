using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>Sums: version 1's report, and version 2's summary.</summary>
public static class Reports
{
    private static readonly string[] Groups = ["type", "project_id", "id", "month"];

    public static readonly Route[] All =
    [
        new("GET", "/v1/report/summary", "billing:get", async c =>
        {
            var (period, by) = (Period.Of(c), c.First("groupby") ?? "");
            // Version 1 names two things to group by, by their names in its answers.
            bool Has(string name) => by.Split(',').Any(g => g.Trim() == name);
            var groups = (await Of(c, period)).GroupBy(r => (Tenant: Has("tenant_id") ? r.Project : "ALL", Type: Has("res_type") ? r.Item.Meter : "ALL")).OrderBy(g => g.Key.Tenant, StringComparer.Ordinal).ThenBy(g => g.Key.Type, StringComparer.Ordinal)
                .Select(g => (g.Key, Rate: g.Sum(r => r.Item.Amount))).ToList();
            if (groups.Count == 0 && by.Length == 0) groups.Add((("ALL", "ALL"), 0));
            return Reply.Of(200, new JsonObject
            {
                ["summary"] = new JsonArray([.. groups.Select(g => (JsonNode)new JsonObject { ["tenant_id"] = g.Key.Tenant, ["res_type"] = g.Key.Type, ["rate"] = Money.Text(g.Rate), ["begin"] = Period.Naive(period.Begin), ["end"] = Period.Naive(period.End) })]),
            });
        }),
        new("GET", "/v1/report/total", "billing:get", async c => Reply.Of(200, JsonValue.Create(Money.Text((await Of(c, Period.Of(c))).Sum(r => r.Item.Amount))))),
        new("GET", "/v1/report/tenants", "billing:get_all", async c =>
        {
            var period = Period.Of(c);
            return Reply.Of(200, new JsonArray([.. (await period.Rate(c, await Metering.Facade.Projects(c.Store, c.Cancelled))).Select(r => r.Project).Distinct().Order(StringComparer.Ordinal).Select(p => (JsonNode)p)]));
        }),
        new("GET", "/v2/summary", "billing:get", Summary),
    ];

    private static async ValueTask<IReadOnlyList<Rated>> Of(Call c, Period period)
    {
        var all = c.First("all_tenants") is { } text && (Lenient.Boolean(text) ?? throw Fault.BadRequest("all_tenants must be true or false."));
        return [.. (await period.Rate(c, await Period.Projects(c, c.First("tenant_id"), all))).Where(r => c.First("service") is not { } s || s == r.Item.Meter)];
    }

    private static async ValueTask<Reply> Summary(Call c)
    {
        var (period, by, filters, page) = (Period.Of(c), Paging.Words(c, "groupby"), Paging.Filters(c), Paging.Of(c));
        if (by.FirstOrDefault(g => !Groups.Contains(g)) is { } unknown) throw Fault.BadRequest($"Can't group by '{unknown}'; possible are {string.Join(", ", Groups)}.");
        var format = c.First("response_format") ?? "table";
        if (format is not ("table" or "object")) throw Fault.BadRequest("response_format must be table or object.");
        var found = (await filters.Rated(c, period)).GroupBy(r => string.Join('\n', by.Select(g => Value(r, g)))).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (Values: by.Select(x => Value(g.First(), x)).ToArray(), Qty: g.Sum(r => Period.Quantity(r.Item)), Rate: g.Sum(r => r.Item.Amount))).ToList();
        if (found.Count == 0 && by.Length == 0) found.Add(([], 0, 0));
        string[] columns = ["begin", "end", "qty", "rate", .. by];
        var rows = found.Skip(page.Offset).Take(page.Limit).Select(f => (JsonNode[])[Period.Aware(period.Begin), Period.Aware(period.End), f.Qty, f.Rate, .. f.Values.Select(v => (JsonNode)v)]).ToList();
        var body = new JsonObject { ["total"] = found.Count };
        if (format == "table") body["columns"] = new JsonArray([.. columns.Select(x => (JsonNode)x)]);
        body["results"] = new JsonArray([.. rows.Select(r => format == "table" ? (JsonNode)new JsonArray(r) : new JsonObject(columns.Zip(r, (k, v) => KeyValuePair.Create(k, (JsonNode?)v))))]);
        body["format"] = format;
        return Reply.Of(200, body);
    }

    private static string Value(Rated r, string group) => group switch { "type" => r.Item.Meter, "project_id" => r.Project, "id" => r.Item.Resource.Split('|', 2)[1], _ => r.Item.Month };
}
