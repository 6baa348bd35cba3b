using System.Buffers;
using System.Globalization;
using System.Text.RegularExpressions;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>The filters of server lists.</summary>
public static class ServerFilters
{
    private static readonly string[] Dates = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ssK"];

    private static readonly SearchValues<char> Literal = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ ");

    private static readonly HashSet<string> Statuses =
    [
        "ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT", "MIGRATING", "PASSWORD", "PAUSED", "REBOOT", "REBUILD", "RESCUE", "RESIZE", "REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SOFT_DELETED", "SUSPENDED", "UNKNOWN", "VERIFY_RESIZE",
    ];

    // What changes nothing here: paging, and attributes that all servers share.
    private static readonly HashSet<string> Others =
        ["limit", "marker", "sort_key", "sort_dir", "all_tenants", "deleted", "soft_deleted", "auto_disk_config", "kernel_id", "launched_at", "metadata", "progress", "ramdisk_id", "root_device_name", "system_metadata", "terminated_at", "created_at"];

    // Each reads the value asked for once, and says then what a server must be.
    private static readonly Dictionary<string, (int Since, Func<string, Func<Server, bool>> Make)> Known = new()
    {
        ["uuid"] = Equal(s => s.Id), ["image"] = Equal(s => s.ImageId), ["flavor"] = Equal(s => s.Flavor.Id), ["user_id"] = Equal(s => s.UserId), ["key_name"] = Equal(s => s.KeyName), ["reservation_id"] = Equal(s => s.ReservationId),
        ["availability_zone"] = Equal(s => s.Zone), ["vm_state"] = Equal(s => s.VmState), ["task_state"] = Equal(s => s.Task), ["access_ip_v4"] = Equal(s => s.AccessIPv4), ["access_ip_v6"] = Equal(s => s.AccessIPv6),
        ["launch_index"] = Equal(s => $"{s.LaunchIndex}"), ["power_state"] = Equal(s => $"{ServerView.Power(s)}"), ["host"] = Equal(s => s.Host), ["node"] = Equal(s => s.Host), ["project_id"] = Equal(s => s.ProjectId), ["tenant_id"] = Equal(s => s.ProjectId),
        ["locked_by"] = Equal(s => !s.Locked ? null : s.LockedByAdmin ? "admin" : "owner"),
        ["name"] = (1, Read(Pattern, (s, like) => like(s.Name))), ["hostname"] = (1, Read(Pattern, (s, like) => like(s.Hostname))), ["description"] = (1, Read(Pattern, (s, like) => like(s.Description ?? ""))),
        ["config_drive"] = (1, Read(Flag, (s, flag) => s.ConfigDrive == flag)), ["locked"] = (73, Read(Flag, (s, flag) => s.Locked == flag)),
        ["changes-since"] = (1, Read(Date, (s, t) => s.Changed >= t)), ["changes-before"] = (66, Read(Date, (s, t) => s.Changed <= t)),
        ["tags"] = (26, Read(Split, (s, t) => t.All(s.Tags.Contains))), ["tags-any"] = (26, Read(Split, (s, t) => t.Any(s.Tags.Contains))), ["not-tags"] = (26, Read(Split, (s, t) => !t.All(s.Tags.Contains))), ["not-tags-any"] = (26, Read(Split, (s, t) => !t.Any(s.Tags.Contains))),
    };

    // Those of others are ignored.
    private static readonly HashSet<string> ForAdmins = ["host", "node", "project_id", "tenant_id", "locked_by"];

    /// <summary>What the query asks of a server; null when it asks nothing.</summary>
    /// <exception cref="Fault">400 for a malformed value, and since 2.75 for an unknown key; 403 for deleted ones, which only administrators see.</exception>
    public static async ValueTask<Func<Call, Server, bool>?> Of(Call c)
    {
        var admin = c.Allows("compute:see_hosts", default);
        if (c.First("deleted") is { } deleted && Flag(deleted))
        {
            c.Require("compute:get_all:deleted", default);
            return (_, _) => false;
        }
        var tests = new List<Func<Server, bool>>();
        foreach (var (key, value) in c.Query)
        {
            if (Known.TryGetValue(key, out var known) && c.From(known.Since)) { if (admin || !ForAdmins.Contains(key)) tests.Add(known.Make(value)); }
            else if (key is not ("status" or "ip" or "ip6") && !Others.Contains(key) && c.From(75)) throw Fault.BadRequest($"Invalid input for query parameters {(key.Length > 60 ? key[..60] : key)}. Additional properties are not allowed.");
        }
        if (c.Query.Where(q => q.Key == "status").Select(q => q.Value.ToUpperInvariant()).ToHashSet() is { Count: > 0 } asked)
        {
            if (asked.Contains("DELETED")) c.Require("compute:get_all:deleted", default);
            if (c.From(38) && !asked.Any(Statuses.Contains)) throw Fault.BadRequest("Invalid status value");
            tests.Add(s => asked.Contains(s.Status));
        }
        if (c.Query.Any(q => q.Key is "ip" or "ip6")) tests.Add(await ByAddress(c));
        return tests.Count == 0 ? null : (_, s) => tests.TrueForAll(t => t(s));
    }

    private static async ValueTask<Func<Server, bool>> ByAddress(Call c)
    {
        var addresses = await Network.Facade.AddressesOf(c);
        var wanted = c.Query.Where(q => q.Key is "ip" or "ip6").Select(q => (Six: q.Key == "ip6", Is: Pattern(q.Value))).ToList();
        return s =>
        {
            var own = s.Nics.SelectMany(n => addresses[n.PortId]).ToList();
            return wanted.TrueForAll(w => own.Exists(a => a.Contains(':', StringComparison.Ordinal) == w.Six && w.Is(a)));
        };
    }

    private static string[] Split(string tags) => tags.Split(',');

    private static (int, Func<string, Func<Server, bool>>) Equal(Func<Server, string?> of) => (1, value => s => of(s) == value);

    private static Func<string, Func<Server, bool>> Read<T>(Func<string, T> read, Func<Server, T, bool> test) => value =>
    {
        var asked = read(value);
        return s => test(s, asked);
    };

    private static bool Flag(string value) => Lenient.Boolean(value) ?? throw Fault.BadRequest($"Invalid input for query parameters. '{(value.Length > 40 ? value[..40] : value)}' is not a boolean.");

    internal static DateTimeOffset Date(string value) => DateTimeOffset.TryParseExact(value, Dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : throw Fault.BadRequest("Invalid filter field: a time such as 2011-01-24T17:08Z was expected.");

    // Nova takes a regular expression here. One from outside must not be able to run for ever.
    private static Func<string, bool> Pattern(string pattern)
    {
        if (Plain(pattern) is { } plain) return plain;
        try
        {
            var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
            return regex.IsMatch;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException) { return name => name.Contains(pattern, StringComparison.Ordinal); }
    }

    // Nearly all are names, perhaps anchored. To compile an expression for those costs more than to try it on a page of servers.
    private static Func<string, bool>? Plain(string pattern)
    {
        var (first, last) = (pattern.StartsWith('^'), pattern.EndsWith('$'));
        var text = pattern.Trim('^', '$');
        if (text.Length + (first ? 1 : 0) + (last ? 1 : 0) != pattern.Length || text.AsSpan().ContainsAnyExcept(Literal)) return null;
        return (first, last) switch
        {
            (true, true) => name => name.Equals(text, StringComparison.OrdinalIgnoreCase),
            (true, false) => name => name.StartsWith(text, StringComparison.OrdinalIgnoreCase),
            (false, true) => name => name.EndsWith(text, StringComparison.OrdinalIgnoreCase),
            _ => name => name.Contains(text, StringComparison.OrdinalIgnoreCase),
        };
    }
}
