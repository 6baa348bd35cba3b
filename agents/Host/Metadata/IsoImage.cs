using System.Buffers.Binary;
using System.Text;

namespace Cloud.Agents.Host.Metadata;

/// <summary>
/// A small ISO 9660 disc with Joliet names: folders of at most one sector, files in memory. Systems that don't know Joliet
/// see numbered names.
/// </summary>
public sealed class IsoImage(string label)
{
    private const int Sector = 2048;
    private const int FirstFree = 19;
    private readonly Node root = new("");

    /// <param name="path">With slashes; folders come by themselves.</param>
    public void Add(string path, byte[] content)
    {
        var parts = path.Split('/');
        var folder = root;
        foreach (var part in parts[..^1])
        {
            if (folder.Find(part) is not { } next)
                folder.Children.Add(next = new Node(part));
            folder = next;
        }

        folder.Children.Add(new Node(parts[^1]) { Content = content });
    }

    public void WriteTo(Stream to)
    {
        var folders = Folders();
        var next = FirstFree + 4;
        foreach (var folder in folders)
            (folder.Plain, folder.Joliet) = (next++, next++);
        var files = folders.SelectMany(f => f.Children).Where(c => c.Content is not null).ToList();
        foreach (var file in files)
        {
            (file.Plain, file.Joliet) = (next, next);
            next += Sectors(file.Content!.Length);
        }

        var disc = new byte[next * Sector];
        Descriptor(At(disc, 16), joliet: false, next, folders);
        Descriptor(At(disc, 17), joliet: true, next, folders);
        At(disc, 18)[0] = 255;
        Identify(At(disc, 18));
        Table(At(disc, FirstFree), folders, joliet: false, big: false);
        Table(At(disc, FirstFree + 1), folders, joliet: false, big: true);
        Table(At(disc, FirstFree + 2), folders, joliet: true, big: false);
        Table(At(disc, FirstFree + 3), folders, joliet: true, big: true);
        foreach (var folder in folders)
        {
            Folder(At(disc, folder.Plain), folder, joliet: false);
            Folder(At(disc, folder.Joliet), folder, joliet: true);
        }

        foreach (var file in files)
            file.Content!.CopyTo(disc.AsSpan(file.Plain * Sector));
        to.Write(disc);
    }

    /// <summary>Each folder after the one it is in, by level, as path tables want it.</summary>
    private List<Node> Folders()
    {
        var folders = new List<Node> { root };
        root.Parent = root;
        for (var i = 0; i < folders.Count; i++)
        {
            folders[i].Number = i + 1;
            folders[i].Children.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
            for (var c = 0; c < folders[i].Children.Count; c++)
            {
                var child = folders[i].Children[c];
                (child.Parent, child.Short) = (folders[i], child.Content is null ? $"D{c:00}" : $"F{c:00}.;1");
                if (child.Content is null)
                    folders.Add(child);
            }
        }

        return folders;
    }

    private void Descriptor(Span<byte> s, bool joliet, int sectors, List<Node> folders)
    {
        s[0] = (byte)(joliet ? 2 : 1);
        Identify(s);
        Fill(s[8..40], "", joliet);
        Fill(s[40..72], label, joliet);
        Both(s[80..], sectors);
        if (joliet)
            "%/E"u8.CopyTo(s[88..]);
        BothShort(s[120..], 1);
        BothShort(s[124..], 1);
        BothShort(s[128..], Sector);
        Both(s[132..], folders.Sum(f => Size(f, joliet)));
        BinaryPrimitives.WriteInt32LittleEndian(s[140..], FirstFree + (joliet ? 2 : 0));
        BinaryPrimitives.WriteInt32BigEndian(s[148..], FirstFree + (joliet ? 3 : 1));
        Record(s[156..190], root, [0], joliet);
        Fill(s[190..813], "", joliet);
        for (var at = 813; at < 881; at += 17)
            s.Slice(at, 16).Fill((byte)'0');
        s[881] = 1;
    }

    private static void Identify(Span<byte> s)
    {
        "CD001"u8.CopyTo(s[1..]);
        s[6] = 1;
    }

    private static int Size(Node folder, bool joliet) => 8 + Name(folder, joliet).Length + (Name(folder, joliet).Length & 1);

    private static void Table(Span<byte> s, List<Node> folders, bool joliet, bool big)
    {
        foreach (var folder in folders)
        {
            var name = Name(folder, joliet);
            var sector = joliet ? folder.Joliet : folder.Plain;
            s[0] = (byte)name.Length;
            if (big)
            {
                BinaryPrimitives.WriteInt32BigEndian(s[2..], sector);
                BinaryPrimitives.WriteInt16BigEndian(s[6..], (short)folder.Parent!.Number);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(s[2..], sector);
                BinaryPrimitives.WriteInt16LittleEndian(s[6..], (short)folder.Parent!.Number);
            }

            name.CopyTo(s[8..]);
            s = s[Size(folder, joliet)..];
        }
    }

    private static void Folder(Span<byte> s, Node folder, bool joliet)
    {
        s = s[Record(s, folder, [0], joliet)..];
        s = s[Record(s, folder.Parent!, [1], joliet)..];
        foreach (var child in folder.Children)
            s = s[Record(s, child, Name(child, joliet), joliet)..];
    }

    private static int Record(Span<byte> s, Node node, ReadOnlySpan<byte> name, bool joliet)
    {
        var length = 33 + name.Length + (1 - (name.Length & 1));
        s[0] = (byte)length;
        Both(s[2..], joliet ? node.Joliet : node.Plain);
        Both(s[10..], node.Content?.Length ?? Sector);
        (s[18], s[19], s[20]) = (70, 1, 1);
        s[25] = (byte)(node.Content is null ? 2 : 0);
        BothShort(s[28..], 1);
        s[32] = (byte)name.Length;
        name.CopyTo(s[33..]);
        return length;
    }

    private static byte[] Name(Node node, bool joliet) =>
        node.Name.Length == 0 ? [0] : joliet ? Encoding.BigEndianUnicode.GetBytes(node.Name) : Encoding.ASCII.GetBytes(node.Short);

    private static void Fill(Span<byte> s, string text, bool joliet)
    {
        if (joliet)
            Encoding.BigEndianUnicode.GetBytes(text.PadRight(s.Length / 2), s);
        else
            Encoding.ASCII.GetBytes(text.PadRight(s.Length), s);
    }

    private static Span<byte> At(byte[] disc, int sector) => disc.AsSpan(sector * Sector);

    private static int Sectors(int bytes) => Math.Max(1, (bytes + Sector - 1) / Sector);

    private static void Both(Span<byte> s, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(s, value);
        BinaryPrimitives.WriteInt32BigEndian(s[4..], value);
    }

    private static void BothShort(Span<byte> s, short value)
    {
        BinaryPrimitives.WriteInt16LittleEndian(s, value);
        BinaryPrimitives.WriteInt16BigEndian(s[2..], value);
    }

    private sealed class Node(string name)
    {
        public string Name { get; } = name;
        public byte[]? Content { get; init; }
        public List<Node> Children { get; } = [];
        public Node? Parent { get; set; }
        public string Short { get; set; } = "";
        public int Number { get; set; }
        public int Plain { get; set; }
        public int Joliet { get; set; }
        public Node? Find(string child) => Children.Find(c => c.Name == child);
    }
}
