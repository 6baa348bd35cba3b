using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>
/// A container's access list: <c>PROJECT:USER</c> with ids, names or stars; a role; <c>.r:*</c>, <c>.r:HOST</c>, <c>.r:-HOST</c> for whoever comes from a page there,
/// <c>.rlistings</c> lets those list too.
/// </summary>
public static class Acl
{
    private static readonly string[] Referrers = [".r", ".ref", ".referer", ".referrer"];

    /// <summary>The list as it is kept.</summary>
    /// <exception cref="Fault">400.</exception>
    public static string Clean(string header, string text)
    {
        var items = new List<string>();
        foreach (var raw in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (first, second, colon) = raw.IndexOf(':', StringComparison.Ordinal) is >= 0 and var at ? (raw[..at].Trim(), raw[(at + 1)..].Trim(), true) : (raw, "", false);
            if (!first.StartsWith('.')) { items.Add(colon ? $"{first}:{second}" : first); continue; }
            if (!colon && first == ".rlistings" && !IsWrite(header)) { items.Add(first); continue; }
            if (!colon || !Referrers.Contains(first)) throw Fault.BadRequest($"{header}: Unknown designator {first} in ACL: {raw}");
            if (IsWrite(header)) throw Fault.BadRequest($"{header}: Referrers not allowed in write ACL: {raw}");
            var (negative, host) = second.StartsWith('-') ? ("-", second[1..].Trim()) : ("", second);
            if (host.StartsWith('*') && host != "*") host = host[1..].Trim();
            if (host is "" or ".") throw Fault.BadRequest($"{header}: No host/domain value after referrer designation in ACL: {raw}");
            items.Add($".r:{negative}{host}");
        }
        return string.Join(',', items);
    }

    private static bool IsWrite(string header) => header.EndsWith("Write", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> Items(string acl) => acl.Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Whether a request with this Referer may read.</summary>
    public static bool AllowsReferrer(string acl, string? referer)
    {
        var host = referer is not null && Uri.TryCreate(referer, UriKind.Absolute, out var uri) ? uri.Host : "unknown";
        var allowed = false;
        foreach (var item in Items(acl).Where(i => i.StartsWith(".r:", StringComparison.Ordinal)))
        {
            var (pattern, grant) = item[3..] is ['-', .. var denied] ? (denied, false) : (item[3..], true);
            if (pattern == "*" || pattern == host || pattern.StartsWith('.') && host.EndsWith(pattern, StringComparison.Ordinal)) allowed = grant;
        }
        return allowed;
    }

    public static bool AllowsListings(string acl) => Items(acl).Contains(".rlistings");

    /// <summary>Whether the list names a caller, by the ids of his project and himself, by their names or by a role.</summary>
    public static async ValueTask<bool> Names(string acl, Platform.Access.Caller caller, Func<ValueTask<(string Project, string User)?>> names)
    {
        var entries = Items(acl).Where(i => !i.StartsWith('.')).ToList();
        if (entries.Count == 0 || caller.ProjectId is null) return false;
        bool Match(string project, string user) => entries.Exists(e => e.Split(':', 2) is [var p, var u] && (p == "*" || p == project) && (u == "*" || u == user));
        if (Match(caller.ProjectId, caller.UserId) || entries.Exists(caller.Has)) return true;
        return await names() is { } n && (Match(n.Project, n.User) || Match(caller.ProjectId, n.User) || Match(n.Project, caller.UserId));
    }
}
