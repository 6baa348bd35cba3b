using System.Runtime.CompilerServices;
using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Cloud.Platform.Net;

namespace Cloud.Platform.Blobs;

/// <summary>Blobs in a container of Azure Storage, made when it isn't there. Blocks that are not committed vanish by themselves, so a blob appears whole.</summary>
/// <param name="connection">A connection string, or an address (<see cref="KeylessAddress"/>).</param>
/// <param name="identity">Shown to an address. Made when it is needed.</param>
public sealed class AzureBlobs(string connection, string container, Func<TokenCredential>? identity = null) : IBlobStore
{
    // At most 50,000 blocks make a blob: 1.6 TB.
    private static readonly StorageTransferOptions Transfer = new() { InitialTransferSize = 32 << 20, MaximumTransferSize = 32 << 20, MaximumConcurrency = 2 };
    private const int ReadAhead = 4 << 20;

    private readonly BlobContainerClient _container = KeylessAddress.Of(connection) is { } at ? new(new Uri($"{at.AbsoluteUri.TrimEnd('/')}/{container}"), KeylessAddress.Caller(identity)) : new(connection, container);

    public async Task<BlobInfo> Write(string name, Stream content, long maxBytes, CancellationToken ct)
    {
        using var digesting = new DigestingStream(content, maxBytes);
        await Try(async () =>
        {
            await _container.CreateIfNotExistsAsync(cancellationToken: ct);
            return await _container.GetBlobClient(name).UploadAsync(digesting, new BlobUploadOptions { TransferOptions = Transfer }, ct);
        });
        return digesting.Info;
    }

    public async Task<Stream?> Read(string name, CancellationToken ct)
    {
        try { return await Try(() => _container.GetBlobClient(name).OpenReadAsync(new BlobOpenReadOptions(allowModifications: false) { BufferSize = ReadAhead }, ct)); }
        catch (IOException e) when (e.InnerException is RequestFailedException { Status: 404 }) { return null; }
    }

    public Task Delete(string name, CancellationToken ct) => Try(async () => await _container.DeleteBlobIfExistsAsync(name, cancellationToken: ct));

    public async IAsyncEnumerable<string> List([EnumeratorCancellation] CancellationToken ct)
    {
        await Try(async () => await _container.CreateIfNotExistsAsync(cancellationToken: ct));
        await foreach (var blob in _container.GetBlobsAsync(cancellationToken: ct)) yield return blob.Name;
    }

    // What the service says may hold the account's name and URL: that is for the log, never for whoever asked.
    private static async Task<T> Try<T>(Func<Task<T>> call)
    {
        try { return await call(); }
        catch (Exception e) when (e is RequestFailedException or AuthenticationFailedException) { throw new IOException("the storage account can't be used now", e); }
        catch (AggregateException e) when (e.InnerException is RequestFailedException) { throw new IOException("the storage account can't be used now", e); }
    }
}
