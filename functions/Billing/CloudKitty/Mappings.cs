using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>Prices as mappings: what one unit of a service costs, or of one value of its field.</summary>
public static class Mappings
{
    private const string Rule = "billing:set_prices";

    /// <param name="Value">Of the service's field; null for the service as a whole.</param>
    private sealed record Mapping(Service Service, string? Value, Price Price)
    {
        public string Id => Services.IdOf("mapping", Price.Meter);

        public JsonObject View() => new()
        {
            ["mapping_id"] = Id, ["value"] = Value, ["type"] = "flat", ["cost"] = Money.Text(Price.Tiers[0].Price), ["service_id"] = Value is null ? Service.Id : null, ["field_id"] = Value is null ? null : Service.FieldId, ["group_id"] = null, ["tenant_id"] = null,
        };
    }

    public static Route[] All(string root) =>
    [
        new("GET", root + "/mappings", Rule, async c =>
        {
            bool Is(string key, string? value) => c.First(key) is not { Length: > 0 } wanted || wanted == value;
            // No mapping has a group, or is of one project.
            var found = (await Now(c)).Where(m => Is("service_id", m.Value is null ? m.Service.Id : null) && Is("field_id", m.Value is null ? null : m.Service.FieldId) && Is("group_id", null) && Is("tenant_id", null));
            return Reply.Of(200, new JsonObject { ["mappings"] = new JsonArray([.. found.Select(m => (JsonNode)m.View())]) });
        }),
        new("GET", root + "/mappings/group", Rule, _ => throw new Fault(404, "The mapping has no group.")),
        new("GET", root + "/mappings/{mapping_id}", Rule, async c => Reply.Of(200, (await Named(c, c.Args["mapping_id"])).View())),
        new("POST", root + "/mappings", Rule, async c =>
        {
            Refuse(c.Json);
            var (field, value) = (Hashmap.Text(c.Json, "field_id"), Hashmap.Text(c.Json, "value"));
            if (field is not null && value is null) throw Fault.BadRequest("A mapping of a field must have a value.");
            var service = field is not null ? Hashmap.WithField(field) : Hashmap.ServiceOf(Hashmap.Text(c.Json, "service_id") ?? throw Fault.BadRequest("A mapping must have a service_id or a field_id."));
            var pattern = service.Pattern(field is null ? null : value);
            if (Metering.Facade.UnitOf(pattern) is not { } told) throw Fault.BadRequest($"'{service.Name}' has no {service.Field} of that name.");
            // The greater of the units that fit: the hour before the second.
            var price = new Price(pattern, Unit.All.Where(u => Unit.Fitting(told).Contains(u.Name) && u.Name is "hour" or "GiB-hour" or "GB").First(u => Unit.Fitting(told).Contains(u.Name)).Name, 0, [new(0, null, Cost(c.Json))]);
            await Change(c, book => book.Prices.Any(p => p.Meter == pattern) ? throw Fault.Conflict("A mapping of that service or value is there already.") : book with { Prices = [.. book.Prices, price] });
            return Reply.Of(201, new Mapping(service, field is null ? null : value, price).View());
        }),
        // The plugin names it in the body alone, whatever it does.
        new("PUT", root + "/mappings", Rule, c => Update(c, Hashmap.Text(c.Json, "mapping_id") ?? throw Fault.BadRequest("The body must have a mapping_id."))),
        new("PUT", root + "/mappings/{mapping_id}", Rule, c => Update(c, c.Args["mapping_id"])),
        new("DELETE", root + "/mappings", Rule, c => Remove(c, Hashmap.Text(c.Json, "mapping_id") ?? throw Fault.BadRequest("The body must have a mapping_id."))),
        new("DELETE", root + "/mappings/{mapping_id}", Rule, c => Remove(c, c.Args["mapping_id"])),
    ];

    private static async ValueTask<Reply> Update(Call c, string id)
    {
        Refuse(c.Json);
        var was = await Named(c, id);
        if (was.Price.Tiers.Length > 1 || was.Price.Free > 0) throw Fault.Conflict("This price has tiers or a free quota: change it in the price book.");
        var cost = Cost(c.Json);
        await Change(c, book => book with { Prices = [.. book.Prices.Select(p => p.Meter == was.Price.Meter ? p with { Tiers = [new(0, null, cost)] } : p)] });
        return Reply.Empty(204);
    }

    private static async ValueTask<Reply> Remove(Call c, string id)
    {
        var was = await Named(c, id);
        await Change(c, book => book with { Prices = [.. book.Prices.Where(p => p.Meter != was.Price.Meter)] });
        return Reply.Empty(204);
    }

    /// <summary>The prices that hold now, as far as they are of a service or of a value.</summary>
    private static async ValueTask<IReadOnlyList<Mapping>> Now(Call c)
    {
        var book = Books.At(await Books.All(c.Store, c.Cancelled), c.Now);
        return book is null ? [] : [.. book.Prices.SelectMany(p => Services.All.Where(s => PriceBook.Covers(s.Meter, p.Meter)).Select(s => new Mapping(s, p.Meter == s.Meter ? null : p.Meter[(s.Meter.Length - 1)..], p)))];
    }

    private static async ValueTask<Mapping> Named(Call c, string id) => (await Now(c)).FirstOrDefault(m => m.Id == id) ?? throw Fault.NotFound("mapping", id);

    private static async ValueTask Change(Call c, Func<PriceBook, PriceBook> change)
    {
        await Books.Add(c.Services, books => change(Books.At(books, c.Now) ?? throw Fault.Conflict("There is no price book yet: its first version, which says the currency, is made with POST /billing/v1/prices.")) with { ValidFrom = default }, c.Cancelled);
    }

    private static decimal Cost(JsonElement json) => BookReader.Number(json.ValueKind == JsonValueKind.Object && json.TryGetProperty("cost", out var v) ? v : default, "cost", 1_000_000, Money.PricePlaces);

    private static void Refuse(JsonElement json)
    {
        if (Hashmap.Text(json, "tenant_id") is not null) throw Fault.BadRequest("Prices of one project are discounts of the price book.");
        if (Hashmap.Text(json, "group_id") is not null) throw Fault.BadRequest("Prices are not grouped.");
        if (Hashmap.Text(json, "type") is { } type && type != "flat") throw Fault.BadRequest("The only type of mapping is flat: a price per unit.");
    }
}
