using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform.Bus;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Histories;

/// <summary>A cloud in the midst of a saga, as a kill would leave it: every row and message as production wrote it, and what the hosts remember.</summary>
/// <param name="At">The step it was recorded in, and how much of it.</param>
/// <param name="Ids">What the scenario made, by the names it gave it.</param>
/// <param name="Rows">Numbers of texts, as are messages and things of hosts; rows that all histories of the file have are left out.</param>
public sealed record History(string Scenario, string Saga, string At, DateTimeOffset Now, Dictionary<string, string> Ids, int[] Rows, int[] Messages, Dictionary<string, int[]> Hosts)
{
    public override string ToString() => $"{Scenario} at {At}";
}

/// <summary>Histories that share their texts: together they take little more room than one.</summary>
public sealed class HistoryFile
{
    /// <summary>Form of each saga, by its name.</summary>
    public Dictionary<string, string[]> Forms { get; init; } = [];
    public List<string> Texts { get; init; } = [];
    /// <summary>Rows of all of them.</summary>
    public int[] Ground { get; set; } = [];
    public List<History> Histories { get; init; } = [];

    private readonly Dictionary<string, int> _numbers = [];

    public static string Folder => Path.Combine(Repository.Root, "tests", "Histories", "Kept");

    public static IEnumerable<string> All => Directory.EnumerateFiles(Folder, "*.json.br").Order(StringComparer.Ordinal);

    public static HistoryFile Read(string path)
    {
        using var file = new BrotliStream(File.OpenRead(path), CompressionMode.Decompress);
        return JsonSerializer.Deserialize<HistoryFile>(file)!;
    }

    /// <summary>Under a name that no file has yet: what is kept is never written again.</summary>
    public void Write()
    {
        Ground = Histories.Count == 0 ? [] : [.. Histories.Select(h => h.Rows.AsEnumerable()).Aggregate((a, b) => a.Intersect(b))];
        var ground = Ground.ToHashSet();
        for (var i = 0; i < Histories.Count; i++) Histories[i] = Histories[i] with { Rows = [.. Histories[i].Rows.Where(r => !ground.Contains(r))] };
        var name = $"{All.Count() + 1:0000}.json.br";
        using (var file = new BrotliStream(new FileStream(Path.Combine(Folder, name), FileMode.CreateNew), CompressionLevel.SmallestSize)) JsonSerializer.Serialize(file, this);
        File.AppendAllText(Sums, $"{Sum(Path.Combine(Folder, name))}  {name}\n");
    }

    /// <summary>As sha256sum writes it.</summary>
    public static string Sums => Path.Combine(Folder, "sums.txt");

    public static string Sum(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    public void Add(string scenario, string saga, string at, TestCloud cloud, Dictionary<string, string> ids) => Histories.Add(new(scenario, saga, at, cloud.Clock.GetUtcNow(), ids,
        [.. cloud.Store.All.Select(r => Number(JsonSerializer.Serialize(new StoredRow(r.Partition, r.Key, r.ETag, Text(r.Body), Bytes(r.Body)))))],
        [.. cloud.Bus.All.Select(m => Number(JsonSerializer.Serialize(new StoredMessage(m.Queue, m.Id, m.Session, m.NotBefore, Text(m.Body), Bytes(m.Body)))))],
        cloud.Hosts.ToDictionary(h => h.Name, h => h.Remembers.Select(Number).ToArray())));

    public TestCloud Load(History h)
    {
        var rows = Ground.Concat(h.Rows).Select(n => JsonSerializer.Deserialize<StoredRow>(Texts[n])!).Select(r => new Row(r.Partition, r.Key, r.ETag, Body(r.Text, r.Bytes)));
        var messages = h.Messages.Select(n => JsonSerializer.Deserialize<StoredMessage>(Texts[n])!).Select(m => new Message(m.Queue, m.Id, Body(m.Text, m.Bytes), m.Session, m.NotBefore));
        return TestCloud.Of(rows, [.. messages], h.Hosts.Select(host => SimulatedHost.From(host.Key, Journal.Read(host.Value.Select(n => Texts[n])))), h.Now);
    }

    private sealed record StoredRow(string Partition, string Key, string ETag, string? Text, byte[]? Bytes);

    private sealed record StoredMessage(string Queue, string Id, string? Session, DateTimeOffset? NotBefore, string? Text, byte[]? Bytes);

    private int Number(string text)
    {
        if (_numbers.TryGetValue(text, out var known)) return known;
        Texts.Add(text);
        return _numbers[text] = Texts.Count - 1;
    }

    // A text where it is one, so that it compresses and can be read.
    private static bool IsText(ReadOnlyMemory<byte> body) => System.Text.Unicode.Utf8.IsValid(body.Span);
    private static string? Text(ReadOnlyMemory<byte> body) => IsText(body) ? Encoding.UTF8.GetString(body.Span) : null;
    private static byte[]? Bytes(ReadOnlyMemory<byte> body) => IsText(body) ? null : body.ToArray();
    private static byte[] Body(string? text, byte[]? bytes) => bytes ?? Encoding.UTF8.GetBytes(text!);
}
