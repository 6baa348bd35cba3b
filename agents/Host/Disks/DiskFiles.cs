using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Disks;

/// <summary>Disk files of this host: all qcow2, made by us, so their headers can be trusted. Guests never write them.</summary>
public sealed class DiskFiles(HostOptions options, ITool tool)
{
    /// <summary>Ending of files that aren't finished.</summary>
    public const string Part = ".part";

    private const string Ending = ".qcow2";
    private const long MaxBytes = 1L << 46;
    private static readonly TimeSpan Long = TimeSpan.FromHours(2);

    public string File(string diskId) => Path.Combine(options.Disks, Ids.Check(diskId) + Ending);

    public IEnumerable<string> All() => Directory.EnumerateFiles(options.Disks, "*" + Ending).Select(f => Path.GetFileNameWithoutExtension(f));

    /// <summary>Files that disks stand on.</summary>
    public HashSet<string> Backings()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(options.Disks))
            if (Qcow2.Read(file)?.Backing is { } backing)
                found.Add(backing);
        return found;
    }

    /// <returns>Size of the disk as a guest sees it; null when there is none.</returns>
    public long? Bytes(string diskId) => System.IO.File.Exists(File(diskId)) ? Header(diskId).Bytes : null;

    public Qcow2 Header(string diskId) => Qcow2.Read(File(diskId)) ?? throw new HandlerFault($"disk {diskId} is damaged", retry: false);

    public Task Create(string diskId, long bytes, CancellationToken ct) =>
        Make(diskId, part => tool.Run("qemu-img", ["create", "-q", "-f", "qcow2", part, Size(bytes)], ct));

    /// <param name="image">Path of the file below, which stays as it is.</param>
    public Task CreateOver(string diskId, long bytes, string image, string format, CancellationToken ct)
    {
        var least = format == "qcow2" ? Qcow2.Read(image)?.Bytes ?? 0 : new FileInfo(image).Length;
        return Make(diskId, part => tool.Run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", format, part, Size(Math.Max(bytes, least))], ct));
    }

    /// <summary>A disk of its own with what <paramref name="from"/> (a qcow2 file that nobody writes) holds.</summary>
    public Task Convert(string diskId, string from, CancellationToken ct) =>
        Make(diskId, part => tool.Run(new ToolCall("qemu-img", ["convert", "-f", "qcow2", "-O", "qcow2", from, part], Timeout: Long), ct));

    /// <summary>Copies the file as it is; in no time where the file system can share blocks.</summary>
    public async Task<string> Freeze(string fromDiskId, string forDiskId, CancellationToken ct)
    {
        var copy = Path.Combine(options.Disks, $"{Ids.Check(forDiskId)}.frozen{Part}");
        await tool.Run(new ToolCall("cp", ["--reflink=auto", "--sparse=always", "--", File(fromDiskId), copy], Timeout: Long), ct);
        return copy;
    }

    public Task Grow(string diskId, long bytes, CancellationToken ct) =>
        tool.Run("qemu-img", ["resize", "-q", "-f", "qcow2", File(diskId), Size(bytes)], ct);

    /// <summary>What a kill left half made.</summary>
    public void RemoveParts()
    {
        foreach (var folder in new[] { options.Disks, options.Images })
            foreach (var file in Directory.EnumerateFiles(folder, "*" + Part))
                System.IO.File.Delete(file);
    }

    public static string Size(long bytes) => bytes is > 0 and <= MaxBytes
        ? bytes.ToString(System.Globalization.CultureInfo.InvariantCulture)
        : throw new HandlerFault("a disk's size is out of bounds", retry: false);

    private async Task Make(string diskId, Func<string, Task> make)
    {
        var part = File(diskId) + Part;
        try
        {
            System.IO.File.Delete(part);
            await make(part);
            Durable.Publish(part, File(diskId));
        }
        finally
        {
            System.IO.File.Delete(part);
        }
    }
}
