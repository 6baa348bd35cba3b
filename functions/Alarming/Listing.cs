using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Alarming;

/// <summary>Filters, orders and pages of alarms and of what happened to them: in the query (q.field, q.op, q.value; sort, limit, marker) and as trees in bodies.</summary>
internal static class Listing
{
    private const int Most = 1000;

    public static (IReadOnlyList<(string Field, string Value)> Filters, bool All) Simple(Call c, string[] known)
    {
        var (fields, values, ops) = (Of(c, "q.field"), Of(c, "q.value"), Of(c, "q.op"));
        if (fields.Count != values.Count) throw Fault.BadRequest("Every q.field needs a q.value");
        if (ops.Exists(o => o is not ("eq" or ""))) throw Fault.BadRequest("The operator must be eq");
        var filters = new List<(string, string)>();
        var all = Of(c, "all_projects").Exists(v => Lenient.Boolean(v) == true);
        for (var i = 0; i < fields.Count; i++)
        {
            if (fields[i] == "all_projects") { all |= Lenient.Boolean(values[i]) == true; continue; }
            if (!known.Contains(fields[i])) throw Fault.BadRequest($"Unknown argument: \"{fields[i][..Math.Min(60, fields[i].Length)]}\": unrecognized field in query, valid keys: {string.Join(", ", known)}");
            filters.Add((fields[i], values[i]));
        }
        return (filters, all);
    }

    private static List<string> Of(Call c, string key) => [.. c.Query.Where(q => q.Key == key).Select(q => q.Value)];

    public static bool Is(string? value, string wanted) => value == wanted || value is "true" or "false" && Lenient.Boolean(wanted) == (value == "true");

    /// <summary>Sorted by sort=FIELD:asc, after the marker, at most the limit.</summary>
    public static IEnumerable<T> Page<T>(Call c, IEnumerable<T> items, Func<T, string, string?> read, Func<T, string> id, string by)
    {
        var (sorted, last) = ((IOrderedEnumerable<T>?)null, false);
        foreach (var sort in Of(c, "sort") is { Count: > 0 } given ? given : [by])
        {
            var (field, down) = (sort.Split(':')[0], sort.EndsWith(":desc", StringComparison.Ordinal));
            string Key(T item) => read(item, field) ?? "";
            last = down;
            sorted = (sorted, down) switch
            {
                (null, false) => items.OrderBy(Key, StringComparer.Ordinal),
                (null, true) => items.OrderByDescending(Key, StringComparer.Ordinal),
                (_, false) => sorted.ThenBy(Key, StringComparer.Ordinal),
                _ => sorted.ThenByDescending(Key, StringComparer.Ordinal),
            };
        }
        var limit = c.First("limit") is not { } text ? Most : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= 1 ? Math.Min(n, Most) : throw Fault.BadRequest("limit must be a number from 1");
        var all = (last ? sorted!.ThenByDescending(id, StringComparer.Ordinal) : sorted!.ThenBy(id, StringComparer.Ordinal)).ToList();
        var from = c.First("marker") is not { } marker ? 0 : all.FindIndex(x => id(x) == marker) is var at and >= 0 ? at + 1 : throw Fault.BadRequest("The marker is not in the list");
        return all.Skip(from).Take(limit);
    }

    /// <summary>{"filter": "{\"=\": {\"state\": \"ok\"}}", "orderby": "[{\"name\": \"asc\"}]", "limit": 10}</summary>
    public static IEnumerable<T> Query<T>(Call c, IEnumerable<T> items, Func<T, string, string?> read, Func<T, string> id)
    {
        if (c.Json.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined)) throw Fault.BadRequest("The body must be an object of filter, orderby and limit.");
        JsonElement Part(string name)
        {
            if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null || v.ValueKind == JsonValueKind.String && v.GetString()!.Length == 0) return default;
            if (v.ValueKind != JsonValueKind.String) return v;
            try
            {
                using var document = JsonDocument.Parse(v.GetString()!, new JsonDocumentOptions { MaxDepth = 24 });
                return document.RootElement.Clone();
            }
            catch (JsonException) { throw Fault.BadRequest($"{name} is not JSON"); }
        }
        var (filter, order, found) = (Part("filter"), Part("orderby"), items);
        if (filter.ValueKind != JsonValueKind.Undefined) found = [.. items.Where(item => Matches(filter, f => read(item, f)))];
        var sorted = found.OrderBy(_ => 0);
        if (order.ValueKind == JsonValueKind.Array)
            foreach (var o in order.EnumerateArray())
            {
                if (o.ValueKind != JsonValueKind.Object || o.GetPropertyCount() != 1) throw Fault.BadRequest("orderby is a list of {field: asc or desc}");
                var (field, way) = o.EnumerateObject().First() is var p ? (p.Name, p.Value.ToString()) : default;
                sorted = way.Equals("desc", StringComparison.OrdinalIgnoreCase) ? sorted.ThenByDescending(x => read(x, field) ?? "", StringComparer.Ordinal) : sorted.ThenBy(x => read(x, field) ?? "", StringComparer.Ordinal);
            }
        var limit = Part("limit") is { ValueKind: JsonValueKind.Number } l && l.TryGetInt32(out var n) && n >= 1 ? Math.Min(n, Most) : Most;
        return sorted.ThenBy(id, StringComparer.Ordinal).Take(limit);
    }

    private static bool Matches(JsonElement tree, Func<string, string?> read)
    {
        if (tree.ValueKind != JsonValueKind.Object || tree.GetPropertyCount() != 1) throw Fault.BadRequest("A filter is an object of one operator");
        var (op, value) = tree.EnumerateObject().First() is var p ? (p.Name.ToLowerInvariant(), p.Value) : default;
        if (op is "and" or "or")
        {
            if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is < 2 or > 50) throw Fault.BadRequest($"{op} needs a list of two filters or more");
            return op == "and" ? value.EnumerateArray().All(v => Matches(v, read)) : value.EnumerateArray().Any(v => Matches(v, read));
        }
        if (op == "not") return !Matches(value, read);
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() != 1) throw Fault.BadRequest($"{op} compares one field");
        var (field, wanted) = value.EnumerateObject().First() is var f ? (f.Name, f.Value) : default;
        if (op == "in") return wanted.ValueKind == JsonValueKind.Array ? wanted.EnumerateArray().Any(v => Is(read(field), v.ToString())) : throw Fault.BadRequest("in needs a list");
        var order = string.CompareOrdinal(read(field) ?? "", wanted.ToString());
        return op switch
        {
            "=" => Is(read(field), wanted.ValueKind is JsonValueKind.True ? "true" : wanted.ValueKind is JsonValueKind.False ? "false" : wanted.ToString()),
            "!=" => read(field) != wanted.ToString(),
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            ">=" => order >= 0,
            _ => throw Fault.BadRequest($"Unknown operator {(op.Length > 20 ? op[..20] : op)}"),
        };
    }
}
