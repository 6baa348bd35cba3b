using System.Globalization;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;

namespace Cloud.Billing;

/// <summary>The price book's versions. Everybody sees prices; discounts are between the operator and the project.</summary>
public static class PriceRoutes
{
    public static readonly Route[] All =
    [
        new("GET", "/v1/prices", "billing:get_prices", async c =>
        {
            OwnService.OnlyKnows(c, "at");
            var (books, at) = (await Books.All(c.Store, c.Cancelled), OwnService.Time(c, "at"));
            if (at is { } t) books = Books.At(books, t) is { } one ? [one] : [];
            return Reply.Of(200, new JsonObject { ["versions"] = new JsonArray([.. books.Select(b => (JsonNode)Seen(c, b))]) });
        }),
        new("POST", "/v1/prices", "billing:set_prices", async c =>
        {
            return Reply.Of(201, Seen(c, await Books.Add(c.Services, BookReader.Read(c.Json), c.Cancelled)));
        }),
        new("DELETE", "/v1/prices/{valid_from}", "billing:set_prices", async c =>
            DateTimeOffset.TryParse(c.Args["valid_from"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var t) && await Books.TakeBack(c.Services, t, c.Cancelled)
                ? Reply.Empty(204) : throw Fault.NotFound("version", c.Args["valid_from"])),
    ];

    private static JsonObject Seen(Call c, PriceBook book) => View.Of(book, d => d.Project == c.User?.ProjectId || c.Allows("billing:get_all", default));
}
