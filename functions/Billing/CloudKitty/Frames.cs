using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>Data frames: here each is one item of a bill, from its first millisecond to its last, not one of many equal periods.</summary>
public static class Frames
{
    private const string Derived = "What is rated comes from the ledger of what happened; it can't be added to by hand.";

    public static readonly Route[] All =
    [
        new("GET", "/v1/storage/dataframes", "billing:get", async c =>
        {
            var rated = (await Period.Of(c).Rate(c, await Period.Projects(c, c.First("tenant_id"), c.First("tenant_id") is null && c.Allows("billing:get_all", default)))).Where(r => c.First("resource_type") is not { } t || t == r.Item.Meter);
            return Reply.Of(200, new JsonObject
            {
                ["dataframes"] = new JsonArray([.. rated.Select(r => (JsonNode)new JsonObject
                {
                    ["begin"] = Period.Naive(r.Item.From), ["end"] = Period.Naive(r.Item.To), ["tenant_id"] = r.Project,
                    ["resources"] = new JsonArray(new JsonObject { ["service"] = r.Item.Meter, ["desc"] = About(r), ["volume"] = Money.Text(Period.Quantity(r.Item)), ["rating"] = Money.Text(r.Item.Amount) }),
                })]),
            });
        }),
        new("GET", "/v2/dataframes", "billing:get", async c =>
        {
            var (period, page, filters) = (Period.Of(c), Paging.Of(c), Paging.Filters(c));
            var found = (await filters.Rated(c, period)).ToList();
            if (found.Count == 0) throw new Fault(404, "No resource found for provided filters.");
            return Reply.Of(200, new JsonObject
            {
                ["total"] = found.Count,
                ["dataframes"] = new JsonArray([.. found.Skip(page.Offset).Take(page.Limit).Select(r => (JsonNode)new JsonObject
                {
                    ["period"] = new JsonObject { ["begin"] = Period.Aware(r.Item.From), ["end"] = Period.Aware(r.Item.To) },
                    ["usage"] = new JsonObject
                    {
                        [r.Item.Meter] = new JsonArray(new JsonObject
                        {
                            ["vol"] = new JsonObject { ["unit"] = r.Item.Unit ?? r.Item.Told, ["qty"] = Period.Quantity(r.Item) }, ["rating"] = new JsonObject { ["price"] = r.Item.Amount },
                            ["groupby"] = new JsonObject { ["id"] = r.Item.Resource.Split('|', 2)[1], ["project_id"] = r.Project }, ["metadata"] = new JsonObject { ["kind"] = r.Item.Resource.Split('|', 2)[0], ["item"] = r.Item.Id },
                        }),
                    },
                })]),
            });
        }),
        Route.Missing("POST", "/v2/dataframes", "billing:set_prices", Derived),
    ];

    private static JsonObject About(Rated r) => new() { ["id"] = r.Item.Resource.Split('|', 2)[1], ["kind"] = r.Item.Resource.Split('|', 2)[0], ["project_id"] = r.Project, ["item"] = r.Item.Id };
}
