using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Cloud.Platform.Blobs;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>A container of Azure Storage among the stores, played by Azurite.</summary>
public sealed class AzureReplicaTests : IAsyncLifetime
{
    // Published with Azurite, for everybody to use.
    private const string Account = "devstoreaccount1", Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private readonly string _data = Directory.CreateTempSubdirectory("cs-azurite-").FullName;
    private Process? _azurite;
    private string _connection = "";

    public async ValueTask InitializeAsync()
    {
        var program = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(d => Path.Combine(d, "azurite-blob")).FirstOrDefault(File.Exists);
        Assert.SkipUnless(program is not null, "needs azurite-blob on the path (npm install -g azurite)");
        var at = IPEndPoint.Parse(CloudCommand.FreeAddress());
        _connection = $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://{at}/{Account};";
        _azurite = Process.Start(new ProcessStartInfo(program!, ["--blobHost", $"{at.Address}", "--blobPort", $"{at.Port}", "--location", _data, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]) { RedirectStandardOutput = true })!;
        while (await _azurite.StandardOutput.ReadLineAsync() is { } line && !line.Contains("successfully listens", StringComparison.Ordinal)) { }
    }

    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
        {
            _azurite.Kill();
            await _azurite.WaitForExitAsync();
            _azurite.Dispose();
        }
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task It_keeps_copies_and_brings_back_what_the_directories_lost()
    {
        var azure = new BlobReplica("away", new AzureBlobs(_connection, "objects"));
        IReplica[] all = [new DirectoryReplica(Path.Combine(_data, "a")), new DirectoryReplica(Path.Combine(_data, "b")), azure];
        var (blobs, blob, bytes) = (new ReplicatedBlobs(all, 3), Guid.CreateVersion7() + ".project", RandomNumberGenerator.GetBytes((3 << 20) + 17));
        var what = await blobs.Write(blob, new MemoryStream(bytes), long.MaxValue, default);
        Assert.Equal([blob], await azure.List(default).ToListAsync());

        foreach (var directory in (string[])["a", "b"]) Directory.Delete(Path.Combine(_data, directory), recursive: true);
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
