using System.Globalization;
using System.Text;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Headers in which clients keep what they like: X-Account-Meta-*, X-Container-Meta-*, X-Object-Meta-*.</summary>
internal static class Metadata
{
    public const int MaxName = 128, MaxValue = 256, MaxCount = 90, MaxOverall = 4096;

    /// <summary>Those of the request, without the prefix.</summary>
    /// <exception cref="Fault">400 for one that is too long.</exception>
    public static Dictionary<string, string> Read(Call c, string prefix)
    {
        var meta = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in c.HeaderNames)
        {
            if (!name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) continue;
            meta[Title(name[prefix.Length..])] = c.Header(name) ?? "";
        }
        return Checked(meta);
    }

    /// <summary>What was said before, with the request's changes: an empty value or X-Remove-... removes.</summary>
    public static Dictionary<string, string> Merge(Call c, string kind, Dictionary<string, string> was)
    {
        var meta = new Dictionary<string, string>(was, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in Read(c, $"X-{kind}-Meta-"))
            if (value.Length > 0) meta[key] = value;
            else meta.Remove(key);
        var removes = $"X-Remove-{kind}-Meta-";
        foreach (var name in c.HeaderNames)
            if (name.StartsWith(removes, StringComparison.OrdinalIgnoreCase)) meta.Remove(Title(name[removes.Length..]));
        return Checked(meta);
    }

    /// <summary>Those that open something are kept apart, for events must not tell them.</summary>
    public static (Dictionary<string, string> Meta, Dictionary<string, string> Keys) Apart(Dictionary<string, string> meta)
    {
        var secret = meta.ToLookup(m => m.Key.StartsWith("Temp-Url-Key", StringComparison.OrdinalIgnoreCase));
        return (secret[false].ToDictionary(StringComparer.OrdinalIgnoreCase), secret[true].ToDictionary(StringComparer.OrdinalIgnoreCase));
    }

    public static Dictionary<string, string> Together(Dictionary<string, string> meta, Dictionary<string, string> keys) => meta.Concat(keys).ToDictionary();

    public static Reply With(this Reply reply, string prefix, IEnumerable<KeyValuePair<string, string>> meta)
    {
        foreach (var (key, value) in meta) reply.With(prefix + key, value);
        return reply;
    }

    /// <exception cref="Fault">400 when it is too much, or one of it too long.</exception>
    public static Dictionary<string, string> Checked(Dictionary<string, string> meta)
    {
        foreach (var (key, value) in meta)
        {
            if (key.Length == 0) throw Fault.BadRequest("Metadata name cannot be empty");
            if (key.Length > MaxName) throw Fault.BadRequest($"Metadata name too long: {key}");
            if (Encoding.UTF8.GetByteCount(value) > MaxValue) throw Fault.BadRequest($"Metadata value longer than {MaxValue}: {key}");
        }
        if (meta.Count > MaxCount) throw Fault.BadRequest($"Too many metadata items; max {MaxCount}");
        if (meta.Sum(m => m.Key.Length + Encoding.UTF8.GetByteCount(m.Value)) > MaxOverall) throw Fault.BadRequest($"Total metadata too large; max {MaxOverall}");
        return meta;
    }

    // An underscore is as good as a hyphen: the gateways between clients and Swift make no difference.
    private static string Title(string name) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(name.ToLowerInvariant().Replace('_', '-'));
}
