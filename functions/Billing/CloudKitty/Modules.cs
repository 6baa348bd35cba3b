using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>Rating modules: the price book goes by the name of hashmap and is always on; scripts are not run. A quotation is what so many units would cost a project that has used none this month.</summary>
public static class Modules
{
    private const string NoScripts = "Scripts of operators are not run; prices are those of the price book.";
    private const int MostResources = 100;

    private sealed record Module(string Id, string Description, bool Enabled, int Priority);
    private static readonly Module[] There = [new("hashmap", "The price book.", true, 1), new("pyscripts", NoScripts, false, 1)];

    public static readonly Route[] All =
    [
        .. Of("/v1/rating", "hot-config"), .. Of("/v2/rating", "hot_config"),
        new("GET", "/v1/rating/reload_modules", "billing:set_prices", _ => new(Reply.Empty(204))),
        new("POST", "/v1/rating/quote", "billing:get_prices", Quote),
        new("GET", "/v1/rating/module_config/pyscripts/scripts", "billing:set_prices", _ => new(Reply.Of(200, new JsonObject { ["scripts"] = new JsonArray() }))),
        Route.Missing("POST", "/v1/rating/module_config/pyscripts/scripts", "billing:set_prices", NoScripts),
        new("GET", "/v1/rating/module_config/pyscripts/scripts/{script_id}", "billing:set_prices", c => throw Fault.NotFound("script", c.Args["script_id"])),
        new("PUT", "/v1/rating/module_config/pyscripts/scripts/{script_id}", "billing:set_prices", c => throw Fault.NotFound("script", c.Args["script_id"])),
        new("DELETE", "/v1/rating/module_config/pyscripts/scripts/{script_id}", "billing:set_prices", c => throw Fault.NotFound("script", c.Args["script_id"])),
    ];

    private static Route[] Of(string root, string hot) =>
    [
        new("GET", root + "/modules", "billing:set_prices", _ => new(Reply.Of(200, new JsonObject { ["modules"] = new JsonArray([.. There.Select(m => (JsonNode)View(m, hot))]) }))),
        new("GET", root + "/modules/{module_id}", "billing:set_prices", c => new(Reply.Of(200, View(Named(c), hot)))),
        new("PUT", root + "/modules/{module_id}", "billing:set_prices", c =>
        {
            var module = Named(c);
            var o = c.Json.ValueKind == System.Text.Json.JsonValueKind.Object ? c.Json : throw Fault.BadRequest("The body must be an object.");
            if (o.TryGetProperty("enabled", out var on) && (Lenient.Boolean(on) ?? throw Fault.BadRequest("enabled must be true or false.")) != module.Enabled) throw Fault.Conflict(module.Enabled ? "The price book is always on." : NoScripts);
            if (o.TryGetProperty("priority", out var p) && !(p.ValueKind == System.Text.Json.JsonValueKind.Number && p.TryGetInt32(out var n) && n == module.Priority)) throw Fault.Conflict("There is one module that rates: it has no priority before others.");
            return new(Reply.Empty(204));
        }),
    ];

    private static Module Named(Call c) => There.FirstOrDefault(m => m.Id == c.Args["module_id"]) ?? throw new Fault(404, "Module not found.");

    private static JsonObject View(Module m, string hot) => new() { ["module_id"] = m.Id, ["description"] = m.Description, ["enabled"] = m.Enabled, [hot] = m.Enabled, ["priority"] = m.Priority };

    private static async ValueTask<Reply> Quote(Call c)
    {
        if (c.Json.ValueKind != System.Text.Json.JsonValueKind.Object || !c.Json.TryGetProperty("resources", out var list) || list.ValueKind != System.Text.Json.JsonValueKind.Array || list.GetArrayLength() is 0 or > MostResources)
            throw Fault.BadRequest($"resources must be a list of 1 to {MostResources} resources.");
        var (book, sum) = (Books.At(await Books.All(c.Store, c.Cancelled), c.Now), 0m);
        foreach (var resource in list.EnumerateArray())
        {
            var o = BookReader.Members(resource, "a resource", "service", "desc", "volume");
            var desc = o.TryGetValue("desc", out var d) && d.ValueKind == System.Text.Json.JsonValueKind.Object ? d : default;
            var meter = Services.MeterOf(BookReader.Text(o, "service", "a resource"), desc);
            var volume = o.TryGetValue("volume", out var v) ? BookReader.Number(v, "volume", 1_000_000_000, 9) : 1;
            if (book?.For(meter) is { } price) sum += Rater.Quote(price, volume) * (10_000 - book.DiscountOf(c.User?.ProjectId ?? "", meter)) / 10_000;
        }
        return Reply.Of(200, JsonValue.Create(Money.Total(sum, Money.Places)));
    }
}
