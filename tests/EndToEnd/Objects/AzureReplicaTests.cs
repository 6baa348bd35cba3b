using System.Security.Cryptography;
using Cloud.Platform.Blobs;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>A container of Azure Storage among the stores, played by Azurite.</summary>
public sealed class AzureReplicaTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cs-replicas-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public async Task It_keeps_copies_and_brings_back_what_the_directories_lost()
    {
        await using var azurite = await Azurite.Start("blob");
        Assert.SkipWhen(azurite is null, Azurite.Missing);
        await Check(new(azurite!.Connection, "objects"), _data);
    }

    internal static async Task Check(AzureBlobs away, string data)
    {
        var azure = new BlobReplica("away", away);
        IReplica[] all = [new DirectoryReplica(Path.Combine(data, "a")), new DirectoryReplica(Path.Combine(data, "b")), azure];
        var (blobs, blob, bytes) = (new ReplicatedBlobs(all, 3), Guid.CreateVersion7() + ".project", RandomNumberGenerator.GetBytes((3 << 20) + 17));
        var what = await blobs.Write(blob, new MemoryStream(bytes), long.MaxValue, default);
        Assert.Equal([blob], await azure.List(default).ToListAsync());

        foreach (var directory in (string[])["a", "b"]) Directory.Delete(Path.Combine(data, directory), recursive: true);
        await using (var part = (await blobs.Read(blob, what, (1 << 20) - 5, 10, default))!)
        {
            var read = new byte[10];
            await part.ReadExactlyAsync(read);
            Assert.Equal(bytes[((1 << 20) - 5)..((1 << 20) + 5)], read);
        }
        Assert.True(await blobs.Mend(blob, what, deep: true, default));
        Assert.Equal(2, blobs.Health.CopiesRepaired);

        await azure.Delete(blob, default);
        Assert.True(await blobs.Mend(blob, what, deep: true, default));
        Assert.Equal(3, blobs.Health.CopiesRepaired);
        await blobs.Delete(blob, default);
        Assert.Empty(await azure.List(default).ToListAsync());
    }
}
