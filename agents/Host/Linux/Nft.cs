using System.Net;
using System.Text.Json;

namespace Cloud.Agents.Host.Linux;

/// <summary>nftables. A script is carried out as one transaction: all of it or nothing.</summary>
public static class Nft
{
    public static Task Apply(ITool tool, Script script, CancellationToken ct) =>
        tool.Run(new ToolCall("nft", ["-f", "-"], script.ToString()), ct);

    /// <returns>What nft said against it; null when it was done.</returns>
    public static async Task<string?> Try(ITool tool, Script script, CancellationToken ct)
    {
        var result = await tool.Try(new ToolCall("nft", ["-f", "-"], script.ToString()), ct);
        return result.ExitCode == 0 ? null : result.Error;
    }

    /// <summary>Bytes of each named counter of a table; none when there is no such table.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> Counters(ITool tool, string family, string table, CancellationToken ct)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        var result = await tool.Try("nft", ["-j", "list", "counters", "table", family, table], ct);
        if (result.ExitCode != 0)
            return bytes;
        using var json = JsonDocument.Parse(result.Output);
        foreach (var item in json.RootElement.GetProperty("nftables").EnumerateArray())
            if (item.TryGetProperty("counter", out var counter))
                bytes[counter.GetProperty("name").GetString()!] = counter.GetProperty("bytes").GetInt64();
        return bytes;
    }

    /// <summary>Pairs of a map from address to address; none when there is no such map.</summary>
    public static async Task<IReadOnlyDictionary<IPAddress, IPAddress>> Map(ITool tool, string family, string table, string map, CancellationToken ct)
    {
        var pairs = new Dictionary<IPAddress, IPAddress>();
        var result = await tool.Try("nft", ["-j", "list", "map", family, table, map], ct);
        if (result.ExitCode != 0)
            return pairs;
        using var json = JsonDocument.Parse(result.Output);
        foreach (var item in json.RootElement.GetProperty("nftables").EnumerateArray())
            if (item.TryGetProperty("map", out var found) && found.TryGetProperty("elem", out var elements))
                foreach (var pair in elements.EnumerateArray())
                    pairs[IPAddress.Parse(pair[0].GetString()!)] = IPAddress.Parse(pair[1].GetString()!);
        return pairs;
    }
}
