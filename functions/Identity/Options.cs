using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Resource options: https://docs.openstack.org/keystone/latest/admin/resource-options.html</summary>
public static class Options
{
    public static readonly IReadOnlyList<string> OfUsers =
    [
        "ignore_change_password_upon_first_use", "ignore_password_expiry", "ignore_lockout_failure_attempts", "ignore_user_inactivity", "lock_password",
        "multi_factor_auth_enabled", "multi_factor_auth_rules",
    ];
    public static readonly IReadOnlyList<string> Immutable = ["immutable"];

    public static bool IsSet(Dictionary<string, JsonElement> options, string name) => options.TryGetValue(name, out var v) && v.ValueKind == JsonValueKind.True;

    /// <summary>What is stored: the old options with those sent; null takes one away.</summary>
    /// <exception cref="Fault">400 for an unknown one, or one of the wrong type.</exception>
    public static Dictionary<string, JsonElement> Merge(IReadOnlyDictionary<string, JsonElement>? old, Dictionary<string, JsonElement> sent, IReadOnlyList<string> known)
    {
        var all = old is null ? [] : new Dictionary<string, JsonElement>(old);
        foreach (var (name, value) in sent)
        {
            var ok = value.ValueKind == JsonValueKind.Null || name != "multi_factor_auth_rules" && value.ValueKind is JsonValueKind.True or JsonValueKind.False || name == "multi_factor_auth_rules" && AreRules(value);
            if (!known.Contains(name) || !ok) throw Fault.BadRequest($"Invalid input for field 'options': {name} is not an option, or not of the right type.");
            if (value.ValueKind == JsonValueKind.Null) all.Remove(name);
            else all[name] = value.Clone();
        }
        return all;
    }

    // Lists of names, none empty and none with the same name twice.
    private static bool AreRules(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(rule =>
        rule.ValueKind == JsonValueKind.Array && rule.GetArrayLength() > 0 && rule.EnumerateArray().All(m => m.ValueKind == JsonValueKind.String) && rule.EnumerateArray().Select(m => m.GetString()).Distinct().Count() == rule.GetArrayLength());

    /// <summary>An immutable thing can't be changed or deleted until it is made mutable again.</summary>
    /// <exception cref="Fault">403.</exception>
    public static void Guard<T>(Draft<T> d, Dictionary<string, JsonElement>? old, Dictionary<string, JsonElement>? now, string what) where T : Resource
    {
        if (old is not null && IsSet(old, "immutable") && (now is null || IsSet(now, "immutable")))
            throw new Fault(403, $"Cannot modify or delete resource {what} {d.Item.Id} because it is immutable.");
    }
}
