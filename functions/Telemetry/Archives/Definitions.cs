using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>Which metrics get which archive policy when nobody says.</summary>
internal sealed record ArchivePolicyRule
{
    public string Name { get; init; } = "";
    /// <summary>With * and ? for what may vary.</summary>
    public string Pattern { get; init; } = "";
    public string Policy { get; init; } = "";

    public void Write(System.Text.Json.Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("name", Name);
        w.WriteString("archive_policy_name", Policy);
        w.WriteString("metric_pattern", Pattern);
        w.WriteEndObject();
    }
}

/// <summary>What the operator defines for the whole cloud: archive policies, their rules and resource types. One partition, few rows.</summary>
internal static class Definitions
{
    public const string Partition = "metric";
    public static string Policy(string name) => "policy|" + Keys.Safe(name);
    public static string Rule(string name) => "rule|" + Keys.Safe(name);
    public static string Type(string name) => "type|" + Keys.Safe(name);

    public static async ValueTask<(T Item, string ETag)?> Find<T>(IEntityStore store, string key, CancellationToken ct) =>
        await store.Get(Partition, key, ct) is { } row ? (Json.Read<T>(row.Body), row.ETag) : null;

    public static async ValueTask<IReadOnlyList<T>> All<T>(IEntityStore store, string prefix, CancellationToken ct)
    {
        var (from, to) = Keys.Range(prefix + "|");
        return [.. (await store.List(Partition, from, to, ct: ct)).Select(r => Json.Read<T>(r.Body))];
    }

    public static async ValueTask<IReadOnlyDictionary<string, ArchivePolicy>> Policies(IEntityStore store, CancellationToken ct) =>
        (await All<ArchivePolicy>(store, "policy", ct)).ToDictionary(p => p.Name);

    /// <summary>One that was deleted while a metric was made with it keeps nothing.</summary>
    public static ArchivePolicy Of(this IReadOnlyDictionary<string, ArchivePolicy> all, Metric m) => all.GetValueOrDefault(m.Policy) ?? new() { Name = m.Policy };

    public static async ValueTask<ArchivePolicy> PolicyOf(IEntityStore store, Metric m, CancellationToken ct) =>
        (await Find<ArchivePolicy>(store, Policy(m.Policy), ct))?.Item ?? new() { Name = m.Policy };

    /// <summary>Rules in the order in which they are tried: the longest pattern first.</summary>
    public static async ValueTask<IReadOnlyList<ArchivePolicyRule>> Rules(IEntityStore store, CancellationToken ct) =>
        [.. (await All<ArchivePolicyRule>(store, "rule", ct)).OrderByDescending(r => r.Pattern, StringComparer.Ordinal)];

    public static string? Match(this IReadOnlyList<ArchivePolicyRule> rules, string? name) => name is null ? null : rules.FirstOrDefault(r => Pattern.Glob(r.Pattern, name))?.Policy;

    /// <summary>Inserts one that isn't there yet.</summary>
    public static async ValueTask<bool> Insert<T>(IEntityStore store, string key, T item, CancellationToken ct)
    {
        try
        {
            await store.Commit(Partition, [new Op.Insert(key, Json.Write(item))], ct: ct);
            return true;
        }
        catch (ConflictException) { return false; }
    }
}

/// <summary>Matching with signs for what may vary, in time that grows with both lengths and no worse.</summary>
internal static class Pattern
{
    public static bool Glob(string pattern, string text) => Matches(pattern, text, '*', '?');
    public static bool Like(string pattern, string text) => Matches(pattern, text, '%', '_');

    private static bool Matches(string pattern, string text, char many, char one)
    {
        var (p, star, mark) = (0, -1, 0);
        for (var t = 0; t < text.Length;)
        {
            if (p < pattern.Length && pattern[p] == many) (star, mark, p) = (p, t, p + 1);
            else if (p < pattern.Length && (pattern[p] == text[t] || pattern[p] == one)) { p++; t++; }
            else if (star >= 0) { p = star + 1; t = ++mark; }
            else return false;
        }
        while (p < pattern.Length && pattern[p] == many) p++;
        return p == pattern.Length;
    }
}
