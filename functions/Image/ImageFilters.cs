using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>Which images a list shows: https://docs.openstack.org/api-ref/image/v2/#list-images</summary>
public static class ImageFilters
{
    private static readonly HashSet<string> Others = ["limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "visibility", "os_hidden", "size_min", "size_max", "created_at", "updated_at", "tag"];

    /// <summary>Made once a list; refuses what can't be a filter.</summary>
    /// <exception cref="Fault">400.</exception>
    public static Func<Call, Image, bool> Of(Call c)
    {
        List<Func<Image, bool>> tests = [];
        foreach (var (key, value) in c.Query)
            if (key is "size_min" or "size_max") tests.Add(Size(key, value));
            else if (key is "created_at" or "updated_at") tests.Add(Time(key, value));
            else if (key == "tag") tests.Add(i => i.Tags.Contains(value));
            else if (!Others.Contains(key)) tests.Add(Text(key, value));
        var hidden = Flag(c.First("os_hidden") ?? "false", "os_hidden");
        var member = c.First("member_status") ?? "accepted";
        if (member is not ("accepted" or "pending" or "rejected" or "all")) throw Fault.BadRequest($"Invalid status: {member}");
        var visibility = c.First("visibility");
        if (visibility is not (null or "public" or "private" or "shared" or "community" or "all")) throw Fault.BadRequest($"Invalid visibility value: {visibility}");
        return (call, i) => i.OsHidden == hidden && tests.TrueForAll(t => t(i)) && Listed(call, i, visibility, member);
    }

    // Another project's community images show only to those who ask for them, shared ones when accepted.
    private static bool Listed(Call c, Image i, string? visibility, string member)
    {
        if (visibility is not (null or "all") && i.Visibility != visibility) return false;
        if (i.ProjectId == c.User?.ProjectId || i.Visibility == "public" || visibility == "all" && i.Visibility == "community") return true;
        if (i.Visibility == "community") return visibility == "community" || c.First("owner") == i.ProjectId;
        return i.Members.TryGetValue(c.User?.ProjectId ?? "", out var m) && (member == "all" || m.Status == member) || c.Allows("admin", default);
    }

    private static Func<Image, bool> Size(string key, string value)
    {
        if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)) throw Fault.BadRequest($"Cannot convert {key} filter '{value}' to an integer.");
        return key == "size_min" ? i => i.Size >= limit : i => i.Size <= limit;
    }

    private static Func<Image, bool> Time(string key, string value)
    {
        var (op, text) = value.IndexOf(':', StringComparison.Ordinal) is > 0 and <= 3 and var at && value[..at] is "gt" or "gte" or "lt" or "lte" or "eq" or "neq" ? (value[..at], value[(at + 1)..]) : ("eq", value);
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var limit)) throw Fault.BadRequest($"Unable to filter on {key}: '{text}' is not a time.");
        return i =>
        {
            var order = DateTimeOffset.FromUnixTimeSeconds((key == "created_at" ? i.Made : i.Changed).ToUnixTimeSeconds()).CompareTo(limit);
            return op switch { "gt" => order > 0, "gte" => order >= 0, "lt" => order < 0, "lte" => order <= 0, "neq" => order != 0, _ => order == 0 };
        };
    }

    private static Func<Image, bool> Text(string key, string value)
    {
        if (key == "protected" && Flag(value, key) is var flag) return i => i.Protected == flag;
        Func<Image, string?> field = key switch
        {
            "id" => i => i.Id,
            "name" => i => i.Name,
            "status" => i => i.Status,
            "disk_format" => i => i.DiskFormat,
            "container_format" => i => i.ContainerFormat,
            "checksum" => i => i.Checksum,
            "os_hash_value" => i => i.OsHashValue,
            "os_hash_algo" => i => i.OsHashAlgo,
            "owner" => i => i.ProjectId,
            "size" => i => i.Size?.ToString(CultureInfo.InvariantCulture),
            "min_ram" => i => i.MinRam.ToString(CultureInfo.InvariantCulture),
            "min_disk" => i => i.MinDisk.ToString(CultureInfo.InvariantCulture),
            _ => i => i.Properties.GetValueOrDefault(key),
        };
        if (key is "size" or "min_ram" or "min_disk" && !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)) throw Fault.BadRequest($"Unable to filter on {key}: '{value}' is not a number.");
        if (key is not ("id" or "name" or "status" or "disk_format" or "container_format") || !value.StartsWith("in:", StringComparison.Ordinal)) return i => field(i) == value;
        var any = List(value[3..]);
        return i => field(i) is { } v && any.Contains(v);
    }

    // in:a,"b,c",d
    private static HashSet<string> List(string text)
    {
        var items = new HashSet<string>(StringComparer.Ordinal);
        for (var at = 0; at <= text.Length;)
        {
            var quoted = at < text.Length && text[at] == '"';
            var end = quoted ? text.IndexOf('"', at + 1) : text.IndexOf(',', at);
            if (quoted && (end < 0 || end + 1 < text.Length && text[end + 1] != ',')) throw Fault.BadRequest($"Invalid filter value {text}. The quote is not closed.");
            if (end < 0) end = text.Length;
            items.Add(text[(quoted ? at + 1 : at)..end]);
            at = quoted ? end + 2 : end + 1;
        }
        return items;
    }

    private static bool Flag(string value, string key) => value switch
    {
        "true" or "True" or "1" => true,
        "false" or "False" or "0" => false,
        _ => throw Fault.BadRequest($"Invalid {key} value: {value}; it must be true or false."),
    };
}
