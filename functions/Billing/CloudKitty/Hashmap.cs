using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>
/// The hashmap module as a view of the price book that holds now: a mapping is the price of a meter per unit. To make, change or remove one adds a version of the
/// book that begins at that moment. What the book says in other ways (tiers for thresholds, discounts for projects) is not said here as well.
/// </summary>
public static class Hashmap
{
    private const string Root = "/v1/rating/module_config/hashmap", Reads = "billing:set_prices", Writes = "billing:set_prices";
    private const string NoGroups = "Prices are not grouped: the longest pattern that fits a meter holds.", NoThresholds = "Steps of a price are tiers of the price book, with their beginnings and ends.";

    public static readonly Route[] All =
    [
        new("GET", Root + "/types", Reads, _ => new(Reply.Of(200, new JsonArray("flat")))),
        new("GET", Root + "/services", Reads, _ => new(Reply.Of(200, new JsonObject { ["services"] = new JsonArray([.. Services.All.Select(s => (JsonNode)View(s))]) }))),
        new("GET", Root + "/services/{service_id}", Reads, c => new(Reply.Of(200, View(ServiceOf(c.Args["service_id"]))))),
        // Meters are there from the beginning; to make one is to find it.
        new("POST", Root + "/services", Writes, c => new(Reply.Of(201, View(Services.All.FirstOrDefault(s => s.Name == Name(c)) ?? throw Fault.BadRequest($"Nothing of that name is metered; there are {string.Join(", ", Services.All.Select(s => s.Name))}."))))),
        .. Gone("services", "What is metered doesn't depend on prices; a service can't be removed."),
        new("GET", Root + "/fields", Reads, c => new(Reply.Of(200, new JsonObject { ["fields"] = new JsonArray([.. Services.All.Where(s => s.Field is not null && (c.First("service_id") is not { Length: > 0 } id || s.Id == id)).Select(s => (JsonNode)FieldOf(s))]) }))),
        new("GET", Root + "/fields/{field_id}", Reads, c => new(Reply.Of(200, FieldOf(WithField(c.Args["field_id"]))))),
        new("POST", Root + "/fields", Writes, c =>
        {
            var (name, service) = (Name(c), ServiceOf(Text(c.Json, "service_id") ?? ""));
            return new(Reply.Of(201, FieldOf(service.Field == name ? service : throw Fault.BadRequest(service.Field is null ? $"'{service.Name}' has no fields." : $"The only field of '{service.Name}' is '{service.Field}'."))));
        }),
        .. Gone("fields", "A service's field is what its meters differ in; it can't be removed."),
        .. Mappings.All(Root),
        .. Empty("groups", "group", NoGroups), new("GET", Root + "/groups/mappings", Reads, _ => new(Reply.Of(200, new JsonObject { ["mappings"] = new JsonArray() }))), new("GET", Root + "/groups/thresholds", Reads, _ => new(Reply.Of(200, new JsonObject { ["thresholds"] = new JsonArray() }))),
        .. Empty("thresholds", "threshold", NoThresholds), new("GET", Root + "/thresholds/group", Reads, _ => throw new Fault(404, "The threshold has no group.")),
    ];

    private static Route[] Gone(string many, string why) => [Route.Missing("DELETE", $"{Root}/{many}", Writes, why), Route.Missing("DELETE", $"{Root}/{many}/{{id}}", Writes, why)];

    private static Route[] Empty(string many, string one, string why) =>
    [
        new("GET", $"{Root}/{many}", Reads, _ => new(Reply.Of(200, new JsonObject { [many] = new JsonArray() }))),
        new("GET", $"{Root}/{many}/{{id}}", Reads, c => throw Fault.NotFound(one, c.Args["id"])),
        Route.Missing("POST", $"{Root}/{many}", Writes, why), Route.Missing("PUT", $"{Root}/{many}", Writes, why), Route.Missing("PUT", $"{Root}/{many}/{{id}}", Writes, why), .. Gone(many, why),
    ];

    public static Service ServiceOf(string id) => Services.All.FirstOrDefault(s => s.Id == id) ?? throw Fault.NotFound("service", id);
    public static Service WithField(string id) => Services.All.FirstOrDefault(s => s.FieldId == id) ?? throw Fault.NotFound("field", id);

    private static JsonObject View(Service s) => new() { ["service_id"] = s.Id, ["name"] = s.Name };
    private static JsonObject FieldOf(Service s) => new() { ["field_id"] = s.FieldId, ["name"] = s.Field, ["service_id"] = s.Id };
    private static string Name(Call c) => Text(c.Json, "name") ?? throw Fault.BadRequest("The body must have a name.");

    public static string? Text(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 and <= 255 } text ? text : null;
}
