using System.Runtime.CompilerServices;

namespace Cloud.Platform.Blobs;

/// <summary>Blobs as files of one directory: written beside, synced, then renamed.</summary>
public sealed class FileBlobs : IBlobStore
{
    private readonly string _root, _staging;

    public FileBlobs(string root)
    {
        (_root, _staging) = (Path.Combine(root, "blobs"), Path.Combine(root, "staging"));
        Directory.CreateDirectory(_root);
        if (Directory.Exists(_staging)) Directory.Delete(_staging, recursive: true); // what a killed upload left
        Directory.CreateDirectory(_staging);
    }

    public async Task<BlobInfo> Write(string name, Stream content, long maxBytes, CancellationToken ct)
    {
        var (staged, final) = (Path.Combine(_staging, name), PathOf(name));
        using var digesting = new DigestingStream(content, maxBytes);
        try
        {
            await using (var file = new FileStream(staged, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
            {
                await digesting.CopyToAsync(file, 1 << 17, ct);
                await file.FlushAsync(ct);
                file.Flush(flushToDisk: true);
            }
            File.Move(staged, final, overwrite: true);
        }
        catch
        {
            File.Delete(staged);
            throw;
        }
        return digesting.Info;
    }

    public Task<Stream?> Read(string name, CancellationToken ct)
    {
        var path = PathOf(name);
        return Task.FromResult<Stream?>(File.Exists(path) ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, FileOptions.Asynchronous) : null);
    }

    public Task Delete(string name, CancellationToken ct)
    {
        File.Delete(PathOf(name));
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<string> List([EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        foreach (var f in Directory.EnumerateFiles(_root)) yield return Path.GetFileName(f);
    }

    private string PathOf(string name) =>
        name.Length is > 0 and < 200 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') && name[0] != '.'
            ? Path.Combine(_root, name) : throw new ArgumentException("not a blob name", nameof(name));
}
