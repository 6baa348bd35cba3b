using Cloud.Platform.Blobs;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// Of the first writers to a directory of objects one found no directory, and by the time .NET asked whether it was the directory or the file that was missing another writer had made it:
/// "file not found", so the replica was left out as if it had failed, and the blob had a copy less.
/// </summary>
public sealed class BornTogetherTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cs-born-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task The_first_writers_of_a_directory_do_not_stumble_over_each_other()
    {
        const int writers = 4;
        for (var n = 0; n < 300; n++)
        {
            var replica = new DirectoryReplica(Path.Combine(_root, n.ToString()));
            using var together = new Barrier(writers);
            await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Factory.StartNew(() =>
            {
                together.SignalAndWait();
                return Write(replica);
            }, TaskCreationOptions.LongRunning).Unwrap()));
        }
    }

    private static async Task Write(DirectoryReplica replica)
    {
        // All into one directory of the 256.
        await using var writer = await replica.Create(Guid.CreateVersion7().ToString()[..34] + "aa.project", default);
        await writer.Write(new byte[] { 1 }, default);
        await writer.Seal(spare: false, default);
    }
}
