using Cloud.Agents.Host;
using Cloud.Agents.Host.Disks;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What a guest writes on its own disk is bytes to the host, whatever they look like.</summary>
public sealed class DiskAttacks : IDisposable
{
    private const string Guest = "guest", Copy = "copy", Image = "base.img";
    private const int Size = 1 << 20;
    private readonly string _data = Directory.CreateTempSubdirectory("cs-disk-attack-").FullName;
    private readonly Tool _tool = new();

    private DiskFiles Disks()
    {
        var options = new HostOptions { Name = "h1", Data = _data };
        Directory.CreateDirectory(options.Disks);
        Directory.CreateDirectory(options.Images);
        return new(options, _tool);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_header_that_a_guest_wrote_names_no_file_of_the_host(bool overImage)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-io"), "needs Debian's qemu-utils");
        var (disks, ct) = (Disks(), TestContext.Current.CancellationToken);
        var secret = Path.Combine(_data, "secret");
        await File.WriteAllTextAsync(secret, new string('s', Size), ct);
        // What a guest would write to see the host's file where its disk was: a qcow2 header with that file below.
        var forged = ImageBytes.Qcow2(size: Size, change: b =>
        {
            b.Put64(8, 0x200);
            b.Put32(16, (uint)secret.Length);
            System.Text.Encoding.ASCII.GetBytes(secret).CopyTo(b, 0x200);
        });
        var header = Path.Combine(_data, "header");
        await File.WriteAllBytesAsync(header, forged, ct);
        if (overImage)
        {
            var below = Path.Combine(_data, "images", Image);
            await File.WriteAllBytesAsync(below, new byte[Size], ct);
            await disks.CreateOver(Guest, Size, below, "raw", ct);
        }
        else
            await disks.Create(Guest, Size, ct);
        await _tool.Run("qemu-io", ["-f", "qcow2", "-c", $"write -s {header} 0 {forged.Length}", disks.File(Guest)], ct);

        // A resize, and what a snapshot, an image made of a server or a move to another host do.
        await disks.Grow(Guest, 2 * Size, ct);
        await disks.Convert(Copy, await disks.Freeze(Guest, Copy, ct), ct);

        Assert.Equal((overImage ? Path.Combine(_data, "images", Image) : null, false, 2L * Size), Facts(disks.Header(Guest)));
        Assert.Equal(((string?)null, false, 2L * Size), Facts(disks.Header(Copy)));
        var seen = Path.Combine(_data, "seen");
        await _tool.Run("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", disks.File(Copy), seen], ct);
        Assert.Equal(forged, (await File.ReadAllBytesAsync(seen, ct))[..forged.Length]);
    }

    private static (string? Backing, bool ExternalData, long Bytes) Facts(Qcow2 header) => (header.Backing, header.ExternalData, header.Bytes);

    public void Dispose() => Directory.Delete(_data, recursive: true);
}
