using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Simulated;

/// <summary>What a simulated host knows of one key: the highest fence, the commands of that fence with their results, and what is there.</summary>
public sealed class Thing
{
    public long Fence { get; set; }
    public List<string> Begun { get; init; } = [];
    public Dictionary<string, Result?> Done { get; init; } = [];
    public Command? Spec { get; set; }
}

/// <summary>
/// A simulated host's memory in a file: a line for each change, so that the process may be killed at any time and nothing that was
/// answered is forgotten. Not synced: it outlives processes, not machines.
/// </summary>
public sealed class Journal : IDisposable
{
    internal static readonly JsonSerializerOptions Json = new() { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    private readonly string _path;
    private FileStream _file;
    private int _lines;

    public Journal(string path)
    {
        _path = path;
        Things = Read(path);
        _file = Rewrite();
    }

    public Dictionary<string, Thing> Things { get; }

    /// <summary>All a journal's file holds, whoever writes it now.</summary>
    public static Dictionary<string, Thing> Read(string path) => File.Exists(path) ? Read(File.ReadLines(path)) : [];

    public static Dictionary<string, Thing> Read(IEnumerable<string> lines)
    {
        var things = new Dictionary<string, Thing>();
        foreach (var line in lines)
        {
            // A kill may leave the last line unfinished: its command was not answered and comes again.
            try
            {
                var (key, thing) = JsonSerializer.Deserialize<KeyValuePair<string, Thing>>(line, Json);
                things[key] = thing;
            }
            catch (JsonException) { break; }
        }
        return things;
    }

    public void Write(IEnumerable<string> keys)
    {
        using var lines = new MemoryStream();
        foreach (var key in keys) Line(lines, key);
        if (_lines > 1000 + (4 * Things.Count))
        {
            _file.Dispose();
            _file = Rewrite();
        }
        else _file.Write(lines.GetBuffer(), 0, (int)lines.Length);
    }

    private FileStream Rewrite()
    {
        _lines = 0;
        using (var part = new FileStream(_path + ".part", FileMode.Create, FileAccess.Write))
            foreach (var key in Things.Keys) Line(part, key);
        File.Move(_path + ".part", _path, overwrite: true);
        return new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
    }

    private void Line(Stream to, string key)
    {
        JsonSerializer.Serialize(to, KeyValuePair.Create(key, Things[key]), Json);
        to.WriteByte((byte)'\n');
        _lines++;
    }

    public void Dispose() => _file.Dispose();
}
