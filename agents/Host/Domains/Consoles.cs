using System.Text;
using System.Text.Json;

namespace Cloud.Agents.Host.Domains;

/// <summary>
/// What guests say on their serial port. qemu appends to a file; a file that grew beyond its size moves to the one beside it
/// and begins anew. Guests write what they like: it is bytes, never interpreted.
/// </summary>
public sealed class Consoles(HostOptions options)
{
    /// <summary>How much of a console is kept at least, when there is that much.</summary>
    public const int Kept = 1 << 20;

    /// <summary>The most that a reply carries, in JSON: every broker takes a message of that size.</summary>
    public const int MaxReply = 200 * 1024;

    public string File(string serverId) => Path.Combine(options.Consoles, Ids.Check(serverId) + ".log");

    /// <param name="lines">From the end; null for all.</param>
    public string Read(string serverId, int? lines)
    {
        var text = Encoding.UTF8.GetString([.. Tail(Older(File(serverId)), Kept), .. Tail(File(serverId), Kept)]);
        if (lines is >= 0)
            text = LastLines(text, lines.Value);
        while (JsonEncodedText.Encode(text).EncodedUtf8Bytes.Length > MaxReply)
            text = text[^(text.Length * 3 / 4)..];
        return text;
    }

    /// <summary>Cuts consoles that grew too long. What a guest says in the very moment of the cut may be lost.</summary>
    public void Trim()
    {
        foreach (var file in new DirectoryInfo(options.Consoles).EnumerateFiles("*.log"))
        {
            if (file.Length <= Kept)
                continue;
            System.IO.File.WriteAllBytes(Older(file.FullName), Tail(file.FullName, Kept));
            using var log = System.IO.File.OpenHandle(file.FullName, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.SetLength(log, 0);
        }
    }

    public void Remove(string serverId)
    {
        System.IO.File.Delete(File(serverId));
        System.IO.File.Delete(Older(File(serverId)));
    }

    /// <summary>Ids of guests that have a console here.</summary>
    public IEnumerable<string> All() => Directory.EnumerateFiles(options.Consoles).Select(f => Path.GetFileName(f).Split('.')[0]).Distinct();

    private static string Older(string file) => file + ".0";

    private static byte[] Tail(string path, int most)
    {
        if (!System.IO.File.Exists(path))
            return [];
        using var file = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        var bytes = new byte[Math.Min(length, most)];
        return bytes[..RandomAccess.Read(file, bytes, length - bytes.Length)];
    }

    private static string LastLines(string text, int lines)
    {
        var at = text.EndsWith('\n') ? text.Length - 1 : text.Length;
        for (var i = 0; i < lines; i++)
        {
            at = at > 0 ? text.LastIndexOf('\n', at - 1) : -1;
            if (at < 0)
                return text;
        }

        return lines == 0 ? "" : text[(at + 1)..];
    }
}
