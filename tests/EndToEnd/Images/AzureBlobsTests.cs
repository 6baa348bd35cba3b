using System.Diagnostics;
using Cloud.Platform.Blobs;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Images;

/// <summary>A store in Azure, played by Azurite.</summary>
public sealed class AzureBlobsTests
{
    // Azurite's own account; every copy of it has this key.
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    [Fact]
    public async Task A_blob_comes_whole_or_not_at_all_and_any_part_of_it_can_be_read()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(d => Path.Combine(d, "azurite-blob")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "needs azurite-blob on the path: npm install azurite");
        var (data, address) = (Directory.CreateTempSubdirectory("cs-azurite-").FullName, CloudCommand.FreeAddress());
        using var azurite = Process.Start(new ProcessStartInfo(program!, ["--blobHost", "127.0.0.1", "--blobPort", address.Split(':')[1], "--location", data, "--skipApiVersionCheck", "--disableTelemetry"]) { RedirectStandardOutput = true })!;
        try
        {
            while (await azurite.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains("successfully listens", StringComparison.Ordinal)) { /* it will say so */ }
            var blobs = new AzureBlobs($"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};BlobEndpoint=http://{address}/devstoreaccount1;", "images");
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
            azurite.Kill(entireProcessTree: true);
            await azurite.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!azurite.HasExited) azurite.Kill(entireProcessTree: true);
            Directory.Delete(data, recursive: true);
        }
    }
}
