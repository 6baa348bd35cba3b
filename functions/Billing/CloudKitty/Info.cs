using System.Text.Json.Nodes;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>What is metered, and by whom: there is one collector, the ledger, and it collects everything.</summary>
public static class Info
{
    public const string Ledger = "ledger";
    private const string OneCollector = "The ledger is the only collector, and everything that happens is in it.";

    public static readonly Route[] All =
    [
        .. Metrics("metrics"), .. Metrics("services"),
        new("GET", "/v1/info/config", Policy.Anyone, async c => Reply.Of(200, new JsonObject
        {
            ["name"] = "Cloud.Serverless", ["period"] = 0, ["fetcher"] = Ledger, ["collector"] = Ledger, ["scope_key"] = "project_id", ["currency"] = (await Books.All(c.Store, c.Cancelled)) is [var book, ..] ? book.Currency : null,
        })),
        new("GET", "/v1/collector/mappings", "billing:set_prices", c => new(Reply.Of(200, new JsonObject { ["mappings"] = new JsonArray([.. Services.All.Where(_ => c.First("collector") is null or Ledger).Select(s => (JsonNode)Mapping(s.Name))]) }))),
        new("GET", "/v1/collector/mappings/{service}", "billing:set_prices", c => new(Reply.Of(200, Mapping(Named(c.Args["service"]).Name)))),
        Route.Missing("POST", "/v1/collector/mappings", "billing:set_prices", OneCollector), Route.Missing("DELETE", "/v1/collector/mappings", "billing:set_prices", OneCollector), Route.Missing("DELETE", "/v1/collector/mappings/{service}", "billing:set_prices", OneCollector),
        new("GET", "/v1/collector/states", "billing:set_prices", c => new(Reply.Of(200, new JsonObject { ["name"] = c.First("name"), ["enabled"] = c.First("name") == Ledger }))),
        Route.Missing("PUT", "/v1/collector/states", "billing:set_prices", OneCollector),
    ];

    private static Route[] Metrics(string many) =>
    [
        new("GET", "/v1/info/" + many, Policy.Anyone, _ => new(Reply.Of(200, new JsonObject { [many] = new JsonArray([.. Services.All.Select(s => (JsonNode)Metric(s))]) }))),
        new("GET", $"/v1/info/{many}/{{name}}", Policy.Anyone, c => new(Reply.Of(200, Metric(Named(c.Args["name"]))))),
    ];

    private static Service Named(string name) => Services.All.FirstOrDefault(s => s.Name == name) ?? throw new Fault(404, name.Length > 64 ? name[..64] : name);
    private static JsonObject Mapping(string service) => new() { ["service"] = service, ["collector"] = Ledger };

    private static JsonObject Metric(Service s) => new()
    {
        ["metric_id"] = s.Name, ["unit"] = Metering.Facade.UnitOf(s.Meter), ["metadata"] = s.Field is null ? new JsonArray() : new JsonArray(s.Field),
    };
}
