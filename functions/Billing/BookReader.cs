using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Billing;

/// <summary>Reads a version of the price book from a body, and says clearly what is wrong with it.</summary>
public static class BookReader
{
    private const int MostPrices = 500, MostTiers = 20;
    private const decimal HighestPrice = 1_000_000, HighestAmount = 1_000_000_000_000;

    /// <returns>Without a beginning when the body has none: then it begins when it is added.</returns>
    /// <exception cref="Fault">400.</exception>
    public static PriceBook Read(JsonElement body)
    {
        var o = Members(body, "the price book", "valid_from", "currency", "decimals", "prices", "discounts");
        var from = o.TryGetValue("valid_from", out var v) ? DateTimeOffset.FromUnixTimeMilliseconds(Time(v).ToUnixTimeMilliseconds()) : default;
        var currency = Text(o, "currency", "the price book");
        if (currency.Length != 3 || !currency.All(char.IsAsciiLetterUpper)) throw Fault.BadRequest("currency must be a code of three capital letters, such as EUR.");
        var places = !o.TryGetValue("decimals", out var d) ? 2 : d.ValueKind == JsonValueKind.Number && d.TryGetInt32(out var n) && n is >= 0 and <= 6 ? n : throw Fault.BadRequest("decimals must be a whole number from 0 to 6: the places of the currency.");
        var prices = Items(o, "prices").Select((p, i) => Price(p, $"prices[{i}]", currency)).ToArray();
        if (prices.Length is 0 or > MostPrices) throw Fault.BadRequest($"prices must hold 1 to {MostPrices} prices.");
        var discounts = Items(o, "discounts").Select((x, i) => Discount(x, $"discounts[{i}]")).ToArray();
        if (prices.GroupBy(p => p.Meter).FirstOrDefault(g => g.Count() > 1) is { } twice) throw Fault.BadRequest($"Two prices overlap: both are for '{twice.Key}'.");
        if (discounts.GroupBy(x => (x.Project, x.Meter)).FirstOrDefault(g => g.Count() > 1) is { } both) throw Fault.BadRequest($"Two discounts overlap: both are for '{both.Key.Meter}' of project {both.Key.Project}.");
        return new(from, currency, places, prices, discounts);
    }

    private static Price Price(JsonElement json, string at, string currency)
    {
        var o = Members(json, at, "meter", "unit", "price", "tiers", "free_per_month", "currency");
        var (meter, name) = (Text(o, "meter", at), Text(o, "unit", at));
        if (o.ContainsKey("currency") && Text(o, "currency", at) is var own && own != currency) throw Fault.BadRequest($"{at} is in {own}, but the book is in {currency}: one book has one currency.");
        var unit = Unit.Named(name) ?? throw Fault.BadRequest($"{at}: the unit '{Short(name)}' is unknown; there are {string.Join(", ", Unit.All.Select(u => u.Name))}.");
        var told = Metering.Facade.UnitOf(meter) ?? throw Fault.BadRequest($"{at}: no meter is called '{Short(meter)}', or what it fits is not counted alike; there are {string.Join(", ", Metering.Facade.Names())}.");
        if (Unit.Of(told).Base != unit.Base) throw Fault.BadRequest($"{at}: '{meter}' is counted in {told} and can't be priced by the {unit.Name}; possible are {string.Join(", ", Unit.Fitting(told))}.");
        if (o.ContainsKey("price") == o.ContainsKey("tiers")) throw Fault.BadRequest($"{at} must have either price or tiers.");
        var free = o.TryGetValue("free_per_month", out var f) ? Boundary(f, at + ".free_per_month", unit) : 0;
        return new(meter, unit.Name, free, o.TryGetValue("price", out var one) ? [new(0, null, Number(one, at + ".price", HighestPrice, Money.PricePlaces))] : Tiers(Items(o, "tiers"), at, unit));
    }

    /// <summary>They must join without a gap or an overlap, from nothing to without end.</summary>
    private static Tier[] Tiers(IReadOnlyList<JsonElement> items, string at, Unit unit)
    {
        if (items.Count is 0 or > MostTiers) throw Fault.BadRequest($"{at}.tiers must hold 1 to {MostTiers} tiers.");
        var tiers = new List<Tier>();
        decimal? end = 0;
        for (var i = 0; i < items.Count; i++)
        {
            var here = $"{at}.tiers[{i}]";
            var o = Members(items[i], here, "from", "to", "price");
            var from = o.TryGetValue("from", out var f) ? Boundary(f, here + ".from", unit) : end ?? 0;
            decimal? to = o.TryGetValue("to", out var t) && t.ValueKind != JsonValueKind.Null ? Boundary(t, here + ".to", unit) : null;
            if (end is null) throw Fault.BadRequest($"{here} overlaps the one before it, which has no end.");
            if (from > end) throw Fault.BadRequest($"{here} leaves a gap: nothing says what {Money.Text(end.Value)} to {Money.Text(from)} costs.");
            if (from < end) throw Fault.BadRequest($"{here} overlaps the one before it, which goes to {Money.Text(end.Value)}.");
            if (to <= from) throw Fault.BadRequest($"{here} ends before it begins.");
            tiers.Add(new(from, to, Number(o.TryGetValue("price", out var p) ? p : default, here + ".price", HighestPrice, Money.PricePlaces)));
            end = to;
        }
        return end is null ? [.. tiers] : throw Fault.BadRequest($"{at}.tiers leave a gap: nothing says what more than {Money.Text(end.Value)} costs. The last tier has no 'to'.");
    }

    private static Discount Discount(JsonElement json, string at)
    {
        var o = Members(json, at, "project_id", "meter", "percent");
        var (project, meter) = (Text(o, "project_id", at), o.ContainsKey("meter") ? Text(o, "meter", at) : "*");
        if (meter != "*" && Metering.Facade.UnitOf(meter) is null) throw Fault.BadRequest($"{at}: no meter is called '{Short(meter)}'.");
        var percent = Number(o.TryGetValue("percent", out var p) ? p : default, at + ".percent", 100, 2);
        return new(project, meter, percent);
    }

    /// <summary>A number of units that is a whole number of the base: nobody could tell where between two milliseconds a tier begins.</summary>
    private static decimal Boundary(JsonElement json, string at, Unit unit) =>
        Number(json, at, HighestAmount, 9) is var n && decimal.IsInteger(n * unit.Divisor) ? n : throw Fault.BadRequest($"{at} is finer than what is counted.");

    /// <summary>A number, or a text that is one: many clients know only binary fractions.</summary>
    public static decimal Number(JsonElement json, string at, decimal most, int places)
    {
        const NumberStyles plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | NumberStyles.AllowExponent;
        var text = json.ValueKind switch { JsonValueKind.Number => json.GetRawText(), JsonValueKind.String => json.GetString()!, _ => throw Fault.BadRequest($"{at} must be a number.") };
        if (text.Length > 40 || !decimal.TryParse(text, plain, CultureInfo.InvariantCulture, out var n)) throw Fault.BadRequest($"{at} must be a number, not '{Short(text)}'.");
        if (n < 0) throw Fault.BadRequest($"{at} must not be negative.");
        if (n > most) throw Fault.BadRequest($"{at} must be at most {Money.Text(most)}.");
        return n == decimal.Round(n, places) ? n : throw Fault.BadRequest($"{at} has more than {places} places.");
    }

    private static DateTimeOffset Time(JsonElement json) =>
        json.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(json.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var t) && t >= DateTimeOffset.UnixEpoch ? t : throw Fault.BadRequest("valid_from must be a time such as 2030-01-01T00:00:00Z.");

    public static Dictionary<string, JsonElement> Members(JsonElement json, string at, params string[] known)
    {
        if (json.ValueKind != JsonValueKind.Object) throw Fault.BadRequest($"{at} must be an object.");
        var members = new Dictionary<string, JsonElement>();
        foreach (var p in json.EnumerateObject())
            if (!known.Contains(p.Name)) throw Fault.BadRequest($"{at} has an unknown member '{Short(p.Name)}'; known are {string.Join(", ", known)}.");
            else if (!members.TryAdd(p.Name, p.Value)) throw Fault.BadRequest($"{at} has '{p.Name}' twice.");
        return members;
    }

    private static List<JsonElement> Items(Dictionary<string, JsonElement> o, string name) =>
        !o.TryGetValue(name, out var list) ? [] : list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : throw Fault.BadRequest($"{name} must be a list.");

    public static string Text(Dictionary<string, JsonElement> o, string name, string at) =>
        o.TryGetValue(name, out var v) && v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 and <= 255 } text ? text : throw Fault.BadRequest($"{at} must have a text '{name}'.");

    private static string Short(string text) => text.Length > 64 ? text[..64] : text;
}
