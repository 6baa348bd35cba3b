using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Images made to read a host's files, to be taken for another format, or to exhaust whoever looks at them.</summary>
public sealed class ImageAttacks
{
    private static readonly byte[] Passwd = Encoding.ASCII.GetBytes("/etc/passwd");

    private static byte[] BackingFile() => ImageBytes.Qcow2(change: b => { b.Put64(8, 0x200); b.Put32(16, 11); Passwd.CopyTo(b, 0x200); });

    private static byte[] Extension(uint type) => ImageBytes.Qcow2(change: b => { b.Put32(104, type); b.Put32(108, 11); Passwd.CopyTo(b, 112); });

    public static TheoryData<string, string, byte[]> Hostile => new()
    {
        { "backing file", "qcow2", BackingFile() },
        { "backing file, version 2", "qcow2", ImageBytes.Qcow2(version: 2, change: b => b.Put64(8, 0x200)) },
        { "external data file", "qcow2", ImageBytes.Qcow2(change: b => b.Put64(72, 4)) },
        { "external data file named in an extension", "qcow2", Extension(0x44415441) },
        { "backing format in an extension", "qcow2", Extension(0xE2792ACA) },
        { "unknown incompatible feature", "qcow2", ImageBytes.Qcow2(change: b => b.Put64(72, 1UL << 40)) },
        { "encrypted", "qcow2", ImageBytes.Qcow2(change: b => b.Put32(32, 2)) },
        { "8 EiB of disk", "qcow2", ImageBytes.Qcow2(size: 1UL << 63) },
        { "no disk", "qcow2", ImageBytes.Qcow2(size: 0) },
        { "endless cluster table", "qcow2", ImageBytes.Qcow2(change: b => b.Put32(36, uint.MaxValue)) },
        { "endless refcount table", "qcow2", ImageBytes.Qcow2(change: b => b.Put32(56, uint.MaxValue)) },
        { "tables beyond the end", "qcow2", ImageBytes.Qcow2(change: b => b.Put64(40, ulong.MaxValue - 7)) },
        { "clusters of no size", "qcow2", ImageBytes.Qcow2(change: b => b.Put32(20, 63)) },
        { "endless header extension", "qcow2", ImageBytes.Qcow2(change: b => { b.Put32(104, 1); b.Put32(108, uint.MaxValue); }) },
        { "cut off", "qcow2", ImageBytes.Qcow2()[..60] },
        { "flat VMDK naming a host's file", "vmdk", Encoding.ASCII.GetBytes("# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"/etc/passwd\" 0\n") },
        { "VMDK in many files", "vmdk", ImageBytes.Vmdk("twoGbMaxExtentSparse", "RW 1 SPARSE \"a.vmdk\"\nRW 1 SPARSE \"b.vmdk\"") },
        { "sparse VMDK with a flat extent", "vmdk", ImageBytes.Vmdk("monolithicSparse", "RW 1 FLAT \"/etc/passwd\" 0") },
        { "sparse VMDK elsewhere", "vmdk", ImageBytes.Vmdk("monolithicSparse", "RW 1 SPARSE \"/etc/passwd\"") },
        { "VMDK with a parent", "vmdk", ImageBytes.Vmdk("monolithicSparse", "RW 1 SPARSE \"a.vmdk\"", "parentFileNameHint=\"/etc/passwd\"\n") },
        { "raw that is qcow2", "raw", ImageBytes.Qcow2() },
        { "raw that is VMDK", "raw", ImageBytes.Vmdk("monolithicSparse", "RW 1 SPARSE \"a.vmdk\"") },
        { "ISO that is qcow2", "iso", ImageBytes.Qcow2() },
        { "VMDK that is qcow2", "vmdk", BackingFile() },
        { "raw that is LUKS", "raw", [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe, 0, 1] },
    };

    [Theory, MemberData(nameof(Hostile))]
    public async Task It_is_refused_and_leaves_nothing(string what, string format, byte[] data)
    {
        await using var cloud = await TestCloud.Start();
        var (id, upload) = await cloud.Image(data, format);
        Assert.Equal((what, 400), (what, upload.Status));
        Assert.Contains("refused", upload.Text, StringComparison.Ordinal);
        Assert.Equal("queued", (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body.GetProperty("status").GetString());
        Assert.Equal(204, (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Status);
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
        Assert.Empty(cloud.Errors);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_honest_one_of_the_same_make_is_taken(int version)
    {
        await using var cloud = await TestCloud.Start();
        var (id, upload) = await cloud.Image(ImageBytes.Qcow2(5UL << 30, version), "qcow2");
        Assert.Equal(204, upload.Status);
        Assert.Equal(5L << 30, (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body.GetProperty("virtual_size").GetInt64());
        Assert.Equal(204, (await cloud.Image(ImageBytes.Vmdk("streamOptimized", "RW 2048 SPARSE \"a.vmdk\""), "vmdk")).Upload.Status);
    }

    [Fact]
    public async Task What_was_not_recognised_is_kept_but_never_booted()
    {
        await using var cloud = await TestCloud.Start();
        var (id, upload) = await cloud.Image([1, 2, 3, 4], "qcow2");
        Assert.Equal(204, upload.Status);
        var flavor = (await cloud.Send("GET", "/compute/v2.1/flavors")).Body.GetProperty("flavors")[0].GetProperty("id").GetString();
        var boot = await cloud.Send("POST", "/compute/v2.1/servers", new { server = new { name = "s", imageRef = id, flavorRef = flavor, networks = "none" } }, "demo", ("OpenStack-API-Version", "compute 2.37"));
        Assert.Equal(400, boot.Status);
        Assert.Contains(id, boot.Text, StringComparison.Ordinal);
        Assert.Equal(400, (await cloud.Send("POST", $"/volume/v3/{await cloud.IdOf("projects", "demo")}/volumes", new { volume = new { size = 1, imageRef = id } }, "demo")).Status);
    }

    [Fact]
    public async Task The_format_and_the_digest_always_travel_with_an_image()
    {
        await using var cloud = await TestCloud.Start();
        var (id, _) = await cloud.Image(ImageBytes.Qcow2(), "qcow2");
        var command = (await Cloud.Image.Facade.Get(cloud.Services, id))!.Command;
        Assert.Equal("qcow2", command.Format);
        Assert.Equal(128, command.Sha512.Length);
    }

    [Fact]
    public async Task Deleting_during_uploads_gives_everything_back()
    {
        await using var cloud = await TestCloud.Start();
        for (var round = 0; round < 5; round++)
        {
            var id = (await cloud.Send("POST", "/image/v2/images", new { name = "x", disk_format = "raw", container_format = "bare" }, "demo")).Body.GetProperty("id").GetString()!;
            using var data = new Interrupted(new byte[300_000], 100_000, async () => Assert.Equal(204, (await cloud.Send("DELETE", "/image/v2/images/" + id, user: "demo")).Status));
            Assert.Equal(404, (await cloud.Stream("PUT", $"/image/v2/images/{id}/file", await cloud.Token("demo"), data, ("Content-Type", "application/octet-stream"))).Status);
        }
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
        Assert.All((await Cloud.Image.Images.Quota.UsageOf(cloud.Store, await cloud.IdOf("projects", "demo"))).Values, used => Assert.Equal(0, used));
    }

    [Fact]
    public async Task Two_uploads_at_once_leave_the_bytes_of_one()
    {
        await using var cloud = await TestCloud.Start();
        var id = (await cloud.Send("POST", "/image/v2/images", new { name = "x", disk_format = "raw", container_format = "bare" }, "demo")).Body.GetProperty("id").GetString()!;
        using var slow = new Interrupted(new byte[300_000], 100_000, async () => Assert.Equal(204, (await cloud.Upload(id, Encoding.ASCII.GetBytes("first"))).Status));
        Assert.Equal(409, (await cloud.Stream("PUT", $"/image/v2/images/{id}/file", await cloud.Token("demo"), slow, ("Content-Type", "application/octet-stream"))).Status);
        Assert.Equal("first", (await cloud.Send("GET", $"/image/v2/images/{id}/file", user: "demo")).Text);
        Assert.Single(await cloud.Services.Blobs.List(default).ToListAsync());
    }

    [Fact]
    public async Task An_upload_whose_client_goes_away_leaves_nothing()
    {
        await using var cloud = await TestCloud.Start();
        var id = (await cloud.Send("POST", "/image/v2/images", new { name = "x", disk_format = "raw", container_format = "bare" }, "demo")).Body.GetProperty("id").GetString()!;
        using var broken = new Interrupted(new byte[300_000], 100_000, () => throw new IOException("the client has gone"));
        await cloud.Stream("PUT", $"/image/v2/images/{id}/file", await cloud.Token("demo"), broken, ("Content-Type", "application/octet-stream"));
        Assert.Empty(await cloud.Services.Blobs.List(default).ToListAsync());
        Assert.Equal("queued", (await cloud.Send("GET", "/image/v2/images/" + id, user: "demo")).Body.GetProperty("status").GetString());
        Assert.Equal(204, (await cloud.Upload(id, [1])).Status);
    }

    /// <summary>A body in the middle of which something happens.</summary>
    private sealed class Interrupted(byte[] data, int at, Func<Task> then) : MemoryStream(data)
    {
        private bool _done;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position >= at && !_done)
            {
                _done = true;
                await then();
            }
            return await base.ReadAsync(buffer, cancellationToken);
        }
    }
}
