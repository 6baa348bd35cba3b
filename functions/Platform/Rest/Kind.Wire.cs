using System.Globalization;
using System.Text.Json;
using Cloud.Platform.State;

namespace Cloud.Platform.Rest;

/// <summary>From and to JSON.</summary>
public sealed partial record Kind<T>
{
    private static readonly Func<T, T> Copy = (Func<T, T>)typeof(T).GetMethod("<Clone>$")!.CreateDelegate(typeof(Func<,>).MakeGenericType(typeof(T), typeof(T)));

    /// <summary>A copy of <paramref name="item"/> with the body's values; refuses what the caller may not set.</summary>
    /// <exception cref="Fault">400.</exception>
    public T Read(Call c, T item, JsonElement body, In where)
    {
        if (body.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Invalid input: the body must be a JSON object.");
        var copy = Copy(item);
        foreach (var p in body.EnumerateObject())
        {
            var field = Array.Find(Fields, f => f.Wire == p.Name && f.Rule.Accepts.HasFlag(where) && f.In(c.Version));
            if (field is null && Rest is not null && !Array.Exists(Fields, f => f.Wire == p.Name) && p.Name != "links")
            {
                Rest.Add(copy, p.Name, p.Value);
                continue;
            }
            if (field is null && where == In.Update && Array.Find(Fields, f => f.Wire == p.Name) is { } fixedOne && IsAlready(fixedOne.Get(item), p.Value)) continue;
            field = field ?? throw Fault.BadRequest(Array.Exists(Fields, f => f.Wire == p.Name && f.Rule.Accepts != In.None) ? $"Cannot update read-only attribute {p.Name}" : $"Invalid input: Additional properties are not allowed ('{(p.Name.Length > 60 ? p.Name[..60] : p.Name)}' was unexpected).");
            if (field.Rule.Policy is { } rule && !c.Allows(rule, TargetOf(item)) && !SameAsOwn(c, field, p.Value)) throw Fault.Forbidden(rule);
            field.Set(copy, p.Value, Dialect);
        }
        if (where == In.Create)
            foreach (var f in Fields)
                if (f.Rule.Required && !body.TryGetProperty(f.Wire, out _)) throw Fault.BadRequest($"Invalid input: '{f.Wire}' is a required property.");
        return copy;
    }

    // Clients that send back what they read change nothing by it.
    private static bool IsAlready(object? now, JsonElement sent) => (now, sent.ValueKind) switch
    {
        (null, JsonValueKind.Null) => true,
        (string s, JsonValueKind.String) => s == sent.GetString(),
        (bool b, JsonValueKind.True or JsonValueKind.False) => b == sent.GetBoolean(),
        (int or long, JsonValueKind.Number) => sent.TryGetInt64(out var n) && n == Convert.ToInt64(now, CultureInfo.InvariantCulture),
        _ => false,
    };

    // A client may always say what would be so anyway, e.g. its own project id.
    private static bool SameAsOwn(Call c, Field<T> field, JsonElement value) =>
        field.Wire is "project_id" or "tenant_id" && value.ValueKind == JsonValueKind.String && value.GetString() == c.User?.ProjectId;

    /// <param name="only">Names of the members to show; null for all.</param>
    public void WriteItem(Utf8JsonWriter w, Call c, T item, bool detail = true, HashSet<string>? only = null)
    {
        if (only is not null)
        {
            // What Extend writes is known only once it is written.
            Shown.Write(w, only, all => WriteItem(all, c, item, detail));
            return;
        }
        w.WriteStartObject();
        foreach (var f in Fields)
            if (!f.Rule.WriteOnly && (detail || !f.Rule.Detail) && f.In(c.Version) && (f.Rule.Policy is null || f.Rule.Accepts != In.None && f.Rule.Policy == Sees || c.Allows(f.Rule.Policy, TargetOf(item))))
                f.Write(w, item, Dialect);
        Extend?.Invoke(w, c, item, detail);
        w.WriteEndObject();
    }

    /// <summary>An answer that holds one, in the service's envelope.</summary>
    public Reply One1(Call c, int status, T item) => Reply.Of(status, w =>
    {
        if (!Dialect.Bare) { w.WriteStartObject(); w.WritePropertyName(One); }
        WriteItem(w, c, item, only: Shown.Only(c));
        if (!Dialect.Bare) w.WriteEndObject();
    });
}
