using Cloud.Platform.Blobs;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Images;

/// <summary>A store in Azure, played by Azurite.</summary>
public sealed class AzureBlobsTests
{
    [Fact]
    public async Task A_blob_comes_whole_or_not_at_all_and_any_part_of_it_can_be_read()
    {
        await using var azurite = await Azurite.Start("blob");
        Assert.SkipWhen(azurite is null, Azurite.Missing);
        await Check(new(azurite!.Connection, "images"));
    }

    internal static async Task Check(AzureBlobs blobs)
    {
        var bytes = new byte[5_000_000];
        new Random(1).NextBytes(bytes);
        var info = await blobs.Write("a.b", new MemoryStream(bytes), bytes.Length, default);
        Assert.Equal((bytes.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(bytes))), (info.Bytes, info.Sha512));
        await using (var back = (await blobs.Read("a.b", default))!)
        {
            Assert.Equal(bytes.Length, back.Length);
            back.Position = 4_999_990;
            var end = new byte[10];
            await back.ReadExactlyAsync(end);
            Assert.Equal(bytes[^10..], end);
        }
        await Assert.ThrowsAsync<BlobTooLargeException>(() => blobs.Write("c.d", new MemoryStream(bytes), 10, default));
        Assert.Equal(["a.b"], await blobs.List(default).ToListAsync());
        await blobs.Delete("a.b", default);
        Assert.Null(await blobs.Read("a.b", default));
    }
}
