using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>Scopes are projects. All of them are rated up to this moment, for nothing is processed in periods; so there is nothing to reset or to process again.</summary>
public static class Scopes
{
    private const string NoPeriods = "Bills are computed from the ledger when they are asked for: there is no state of processing that could be set back or run again.";

    public static readonly Route[] All =
    [
        new("GET", "/v2/scope", "billing:get_all", async c =>
        {
            var (page, now) = (Paging.Of(c), Period.Aware(c.Now));
            bool Wanted(string key, string value) => Paging.Words(c, key) is var words && (words.Length == 0 || words.Contains(value));
            var found = Wanted("scope_key", "project_id") && Wanted("collector", Info.Ledger) && Wanted("fetcher", Info.Ledger) && Wanted("active", "1") ? (await Metering.Facade.Projects(c.Store, c.Cancelled)).Where(p => Wanted("scope_id", p)).Skip(page.Offset).Take(page.Limit).ToList() : [];
            if (found.Count == 0) throw new Fault(404, "No resource found for provided filters.");
            return Reply.Of(200, new JsonObject
            {
                // Clients of some years ago read state, later ones the longer name.
                ["results"] = new JsonArray([.. found.Select(p => (JsonNode)new JsonObject { ["scope_id"] = p, ["scope_key"] = "project_id", ["fetcher"] = Info.Ledger, ["collector"] = Info.Ledger, ["state"] = now, ["last_processed_timestamp"] = now, ["active"] = true })]),
            });
        }),
        Route.Missing("PUT", "/v2/scope", "billing:set_prices", NoPeriods), Route.Missing("PATCH", "/v2/scope", "billing:set_prices", NoPeriods), Route.Missing("POST", "/v2/scope", "billing:set_prices", NoPeriods),
        new("GET", "/v2/task/reprocesses", "billing:get_all", _ => new(Reply.Of(200, new JsonObject { ["results"] = new JsonArray() }))),
        Route.Missing("POST", "/v2/task/reprocesses", "billing:set_prices", NoPeriods),
    ];
}
