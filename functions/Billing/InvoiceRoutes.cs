using System.Globalization;
using System.Text.Json.Nodes;
using Cloud.Metering;
using Cloud.Platform.Rest;

namespace Cloud.Billing;

/// <summary>A project's invoices: closed ones as they were closed, the others as drafts.</summary>
public static class InvoiceRoutes
{
    // An item of a month has more intervals only if something was switched on and off all the time.
    private const int MostIntervals = 1000;

    public static readonly Route[] All =
    [
        new("GET", "/v1/invoices", "billing:get", async c =>
        {
            OwnService.OnlyKnows(c, "project_id");
            var (project, query) = (Api.ProjectOf(c), QueryOf(c));
            var closed = await Invoices.Of(c.Store, project, c.Cancelled);
            return Reply.Of(200, new JsonObject
            {
                ["invoices"] = new JsonArray([.. closed.Select(i => (JsonNode)View.Of(i, c.BaseUrl, query))]),
                ["links"] = new JsonObject { ["draft"] = $"{c.BaseUrl}/v1/invoices/{Month.Of(c.Now).Name}{query}" },
            });
        }),
        new("GET", "/v1/invoices/{month}", "billing:get", async c => { OwnService.OnlyKnows(c, "project_id"); return Reply.Of(200, View.Of((await Show(c)).Invoice, c.BaseUrl, QueryOf(c))); }),
        new("GET", "/v1/invoices/{month}/items", "billing:get", async c =>
        {
            OwnService.OnlyKnows(c, "project_id", "limit", "cursor", "resource", "meter");
            var ((_, items), limit, cursor, query) = (await Show(c), OwnService.Limit(c), c.First("cursor"), QueryOf(c));
            // The cursor is the last item shown; in a draft items come and go, their order doesn't.
            var wanted = items.Where(i => (c.First("resource") is not { } r || i.Resource.EndsWith("|" + r, StringComparison.Ordinal)) && OwnService.Matches(c.First("meter"), i.Meter)).ToList();
            var after = cursor is null ? 0 : wanted.FindIndex(i => i.Id == cursor) is >= 0 and var at ? at + 1 : throw Fault.BadRequest("cursor is not one that this service gave.");
            var shown = wanted.Skip(after).Take(limit).ToList();
            var next = after + shown.Count < wanted.Count ? shown[^1].Id : null;
            return Reply.Of(200, new JsonObject { ["items"] = new JsonArray([.. shown.Select(i => (JsonNode)View.Of(i, c.BaseUrl, query))]), ["next"] = next }).WithNext(c, next);
        }),
        new("GET", "/v1/invoices/{month}/csv", "billing:get", async c =>
        {
            OwnService.OnlyKnows(c, "project_id");
            var (invoice, items) = await Show(c);
            return new Reply { Status = 200, ContentType = "text/csv; charset=utf-8; header=present", Text = Csv.Of(invoice, items) }.With("Content-Disposition", $"attachment; filename=\"{invoice.Number ?? "draft"}-{invoice.Month}.csv\"");
        }),
        new("GET", "/v1/invoices/{month}/html", "billing:get", async c =>
        {
            OwnService.OnlyKnows(c, "project_id");
            var (invoice, items) = await Show(c);
            return new Reply { Status = 200, ContentType = "text/html; charset=utf-8", Text = Html.Of(invoice, items, invoice.Project) }.With("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'").With("X-Content-Type-Options", "nosniff");
        }),
        new("GET", "/v1/items/{id}", "billing:get", Explain),
    ];

    /// <summary>An item with what it was made of: each interval and amount, and where its events are to be read.</summary>
    private static async ValueTask<Reply> Explain(Call c)
    {
        OwnService.OnlyKnows(c, "project_id");
        var (project, id, query) = (Api.ProjectOf(c), c.Args["id"], QueryOf(c));
        if (id.Length < 8 || Month.Parse(id[..7]) is not { } month || month > Month.Of(c.Now)) throw Fault.NotFound("item", id);
        var item = (await Invoices.Show(c.Store, project, month, c.Now, c.Cancelled)).Items.FirstOrDefault(i => i.Id == id) ?? throw Fault.NotFound("item", id);
        var root = c.BaseUrl[..c.BaseUrl.LastIndexOf('/')];
        string Log(string e) => $"{root}/events/v1/events/{Uri.EscapeDataString(e)}";
        var intervals = (await Facade.Between(c.Store, project, item.From, item.To, c.Cancelled).ToListAsync(c.Cancelled)).Where(e => e.Resource == item.Resource && e.Interval.Meter == item.Meter)
            .DistinctBy(e => e.Id).OrderBy(e => e.Interval.From).Take(MostIntervals).Select(e => (JsonNode)new JsonObject
            {
                ["id"] = e.Id, ["quantity"] = e.Interval.Quantity, ["from"] = View.Time(e.Interval.From), ["to"] = e.Interval.To is { } to ? View.Time(to) : null,
                ["seconds_in_item"] = Money.Text(Facade.Milliseconds(e.Interval, item.From, item.To) / 1000m), ["final"] = e.Interval.Final, ["opened_by"] = Log(e.Interval.OpenedBy), ["closed_by"] = e.Interval.ClosedBy is { } by ? Log(by) : null,
            });
        var amounts = (await Facade.CountedBetween(c.Store, project, item.From, item.To, c.Cancelled).ToListAsync(c.Cancelled)).Where(a => a.Resource == item.Resource && a.Meter == item.Meter).Take(MostIntervals)
            .Select(a => (JsonNode)new JsonObject { ["id"] = a.Id, ["quantity"] = a.Quantity, ["at"] = View.Time(a.At), ["counted_by"] = Log("amount:" + a.Id) });
        var view = View.Of(item, c.BaseUrl, query);
        view["links"]!["intervals"] = $"{root}/metering/v1/intervals?resource={Uri.EscapeDataString(item.Resource.Split('|', 2)[1])}&meter={Uri.EscapeDataString(item.Meter)}&from={View.Time(item.From)}&to={View.Time(item.To)}{query.Replace('?', '&')}";
        view["links"]!["prices"] = item.Book is { } book ? $"{c.BaseUrl}/v1/prices?at={View.Time(book)}" : null;
        if (item.Corrects is { } corrected) view["links"]!["corrects"] = $"{c.BaseUrl}/v1/items/{corrected}{query}";
        view["intervals"] = new JsonArray([.. intervals]);
        view["amounts"] = new JsonArray([.. amounts]);
        return Reply.Of(200, view);
    }

    private static async ValueTask<(Invoice Invoice, IReadOnlyList<LineItem> Items)> Show(Call c)
    {
        var project = Api.ProjectOf(c);
        var month = Month.Parse(c.Args["month"]) ?? throw Fault.BadRequest("A month is written as 2030-01.");
        if (month > Month.Of(c.Now)) throw Fault.NotFound("invoice", month.Name);
        return await Invoices.Show(c.Store, project, month, c.Now, c.Cancelled);
    }

    private static string QueryOf(Call c) => c.First("project_id") is { } p ? string.Create(CultureInfo.InvariantCulture, $"?project_id={Uri.EscapeDataString(p)}") : "";
}
