using System.Security.Cryptography;
using Cloud.Platform.Blobs;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.ObjectStorage;

public sealed class ReplicaTests : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), "cs-replicas-" + Guid.NewGuid().ToString("N"));

    public void Dispose()
    {
        if (Directory.Exists(_root)) Directory.Delete(_root, recursive: true);
    }

    private IReplica Make(string kind, string name = "r") => kind == "directory" ? new DirectoryReplica(Path.Combine(_root, name)) : new BlobReplica(name, new FileBlobs(Path.Combine(_root, name)));

    private static string NewBlob() => Guid.CreateVersion7() + ".project";

    private static async Task<byte[]?> Read(IReplica replica, string blob)
    {
        await using var stream = await replica.Open(blob, default);
        if (stream is null) return null;
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    private static async Task Write(IReplica replica, string blob, byte[] bytes, bool seal = true)
    {
        await using var writer = await replica.Create(blob, default);
        foreach (var part in bytes.Chunk(1 << 20)) await writer.Write(part, default);
        if (seal) await writer.Seal(spare: true, default);
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("store")]
    public async Task A_blob_is_there_whole_once_it_is_sealed_and_not_before(string kind)
    {
        var (replica, blob, bytes) = (Make(kind), NewBlob(), RandomNumberGenerator.GetBytes(5 << 20));
        Assert.Null(await Read(replica, blob));
        await Write(replica, blob, bytes, seal: false);
        Assert.Null(await Read(replica, blob));
        await Write(replica, blob, bytes);
        await Write(replica, blob, [1, 2], seal: false);
        Assert.Equal(bytes, await Read(replica, blob));
        await Write(replica, blob, [1, 2]);
        Assert.Equal([1, 2], await Read(replica, blob));
        Assert.Equal([blob], await replica.List(default).ToListAsync());
        await replica.Delete(blob, default);
        await replica.Delete(blob, default);
        Assert.Null(await Read(replica, blob));
        Assert.Empty(await replica.List(default).ToListAsync());
    }

    /// <summary>Around the ends of blocks: with the list of hashes in one write, or in two.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ReplicatedBlobs.Block - 33)]
    [InlineData(ReplicatedBlobs.Block - 32)]
    [InlineData(ReplicatedBlobs.Block - 31)]
    [InlineData(ReplicatedBlobs.Block - 1)]
    [InlineData(ReplicatedBlobs.Block)]
    [InlineData(ReplicatedBlobs.Block + 1)]
    [InlineData(2 * ReplicatedBlobs.Block)]
    public async Task What_was_written_comes_back_whatever_its_length(int length)
    {
        var (blob, bytes) = (NewBlob(), new byte[length]);
        new Random(length).NextBytes(bytes);
        var blobs = new ReplicatedBlobs([Make("directory", "a"), Make("directory", "b"), Make("store", "c")], 3);
        var made = await blobs.Write(blob, new MemoryStream(bytes), long.MaxValue, TestContext.Current.CancellationToken);
        Assert.Equal(length, made.Bytes);
        Assert.True(await blobs.Mend(blob, made, deep: true, TestContext.Current.CancellationToken));
        Assert.Equal(0, blobs.Health.CopiesRepaired);
        foreach (var replica in blobs.Replicas) Assert.Equal(made.Stored, (await Read(replica, blob))!.Length);
        await using var back = await blobs.Read(blob, made, 0, length, TestContext.Current.CancellationToken);
        var got = new MemoryStream();
        await back!.CopyToAsync(got, TestContext.Current.CancellationToken);
        Assert.Equal(bytes, got.ToArray());
    }

    [Fact]
    public async Task A_directory_that_was_taken_away_is_made_anew()
    {
        var (replica, blob) = (Make("directory"), NewBlob());
        await Write(replica, blob, [1]);
        Directory.Delete(_root, recursive: true);
        Assert.Null(await Read(replica, blob));
        Assert.Empty(await replica.List(default).ToListAsync());
        await replica.Delete(blob, default);
        await Write(replica, blob, [2]);
        Assert.Equal([2], await Read(replica, blob));
    }

    [Fact]
    public async Task What_a_kill_left_half_written_is_gone_with_the_next_start()
    {
        var replica = Make("directory");
        var writer = await replica.Create(NewBlob(), default);
        await writer.Write(new byte[] { 1 }, default);
        Make("directory");
        Assert.Empty(Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories));
        await writer.DisposeAsync();
    }

    /// <summary>One store's directory goes while others write, and bytes of another are spoilt: every write that was acknowledged is read, found wanting, mended and counted.</summary>
    [Fact]
    public async Task A_store_that_is_lost_under_load_and_one_that_rots_lose_nothing()
    {
        IReplica[] replicas = [Make("directory", "a"), Make("directory", "b"), Make("directory", "c")];
        var blobs = new ReplicatedBlobs(replicas, 3);
        var made = new System.Collections.Concurrent.ConcurrentDictionary<string, (SealedBlob What, byte[] Bytes)>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (var n = 0; n < 6; n++)
            {
                var (blob, bytes) = (NewBlob(), RandomNumberGenerator.GetBytes(1000 + 150_000 * n));
                made[blob] = (await blobs.Write(blob, new MemoryStream(bytes), long.MaxValue, default), bytes);
                if (writer == 0 && n == 3) Directory.Move(Path.Combine(_root, "a"), Path.Combine(_root, "gone"));
            }
        })));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_root, "b", "blobs"), "*", SearchOption.AllDirectories).Take(8))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(file, bytes);
        }
        foreach (var (blob, (what, bytes)) in made)
        {
            await using var stream = (await blobs.Read(blob, what, 0, what.Bytes, default))!;
            using var read = new MemoryStream();
            await stream.CopyToAsync(read);
            Assert.Equal(bytes, read.ToArray());
        }
        foreach (var (blob, (what, _)) in made) Assert.True(await blobs.Mend(blob, what, deep: true, default));
        Assert.Equal(8, blobs.Health.Corrupt);
        Assert.True(blobs.Health.Missing > 0);
        Assert.Equal((blobs.Health.Corrupt + blobs.Health.Missing, 0), (blobs.Health.CopiesRepaired, blobs.Health.Lost));
        foreach (var (blob, (what, bytes)) in made)
            foreach (var replica in replicas) Assert.Equal(bytes, (await Read(replica, blob))![..bytes.Length]);
    }

    /// <summary>The process dies before or after each commit of a PUT that overwrites: what was acknowledged is read, and in the end no blob is left that nobody needs.</summary>
    [Fact]
    public async Task A_kill_between_writes_leaves_the_old_or_the_new_and_no_blob_of_nobody()
    {
        for (var (death, killed) = (0, true); killed; death++)
        {
            await using var shop = await Shop.Open("c");
            await shop.Put("/c/o", "old");
            var left = death;
            shop.Cloud.Store.OnCommit = _ => { if (left-- == 0) throw new Death(); };
            killed = (await shop.Put("/c/o", "newer")).Status == 500;
            shop.Cloud.Store.OnCommit = null;
            shop.Cloud.Restart();
            await shop.Cloud.Drain();
            var text = await shop.Get("/c/o");
            Assert.True(killed ? text is "old" or "newer" : text == "newer");
            shop.Cloud.Clock.Advance(TimeSpan.FromDays(2));
            await shop.Run("audit");
            shop.Cloud.Forget();
            Assert.Equal(text, await shop.Get("/c/o"));
            Assert.All(shop.Cloud.Replicas, r => Assert.Single(r.Blobs));
            Assert.Equal(text.Length.ToString(), (await shop.Do("HEAD", "/c")).Headers["X-Container-Bytes-Used"]);
            Assert.True(killed || death >= 2, "no commit was met");
        }
    }
}
