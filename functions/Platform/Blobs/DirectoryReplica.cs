using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloud.Platform.Blobs;

/// <summary>A replica in a directory. A directory that was taken away is made anew with the next write; what it held is the auditor's affair.</summary>
public sealed class DirectoryReplica : IReplica
{
    private readonly string _root, _staging;

    public DirectoryReplica(string root)
    {
        (_root, _staging) = (Path.Combine(root, "blobs"), Path.Combine(root, "staging"));
        if (Directory.Exists(_staging)) Directory.Delete(_staging, recursive: true); // what a kill left
    }

    public string Name => Path.GetDirectoryName(_root)!;

    public Task<IReplicaWriter> Create(string blob, CancellationToken ct) => Task.FromResult<IReplicaWriter>(new Writer(this, blob));

    public Task<Stream?> Open(string blob, CancellationToken ct)
    {
        try { return Task.FromResult<Stream?>(new FileStream(PathOf(blob), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.None)); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { return Task.FromResult<Stream?>(null); }
    }

    public Task Delete(string blob, CancellationToken ct)
    {
        try { File.Delete(PathOf(blob)); }
        catch (DirectoryNotFoundException) { /* gone with its directory */ }
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<string> List([EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        if (!Directory.Exists(_root)) yield break;
        foreach (var file in Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories)) yield return Path.GetFileName(file);
    }

    // Names begin with an id whose last digits are random: 256 directories of like size.
    private string PathOf(string blob) => blob.Length is > 36 and < 200 && blob.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')
        ? Path.Combine(_root, blob[34..36], blob) : throw new ArgumentException("not the name of a blob", nameof(blob));

    /// <summary>
    /// Directories are there but for the first time; so they are made when something fails for want of one. "File not found" is what .NET says when another writer makes the directory
    /// between the failure and its look at what was missing.
    /// </summary>
    private static T Within<T>(string directory, Func<T> make)
    {
        try { return make(); }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            Directory.CreateDirectory(directory);
            return make();
        }
    }

    private sealed class Writer : IReplicaWriter
    {
        /// <summary>Bytes that are sooner copied for the kernel than handed to another thread.</summary>
        private const int Small = 64 << 10;
        private const int DontNeed = 4; // POSIX_FADV_DONTNEED of Linux

        private readonly string _staged, _final;
        private readonly SafeFileHandle _file;
        private long _at;
        private bool _sealed;

        public Writer(DirectoryReplica replica, string blob)
        {
            _final = replica.PathOf(blob);
            _staged = Path.Combine(replica._staging, blob);
            _file = Within(replica._staging, () => File.OpenHandle(_staged, FileMode.CreateNew, FileAccess.Write, FileShare.None));
        }

        public async Task Write(ReadOnlyMemory<byte> bytes, CancellationToken ct)
        {
            if (bytes.Length <= Small) RandomAccess.Write(_file, bytes.Span, _at);
            else await RandomAccess.WriteAsync(_file, bytes, _at, ct);
            _at += bytes.Length;
        }

        // The rename comes before the sync, so that the sync makes both durable. Nobody knows the name before.
        public Task Seal(bool spare, CancellationToken ct)
        {
            _sealed = Within(Path.GetDirectoryName(_final)!, () =>
            {
                File.Move(_staged, _final, overwrite: true);
                return true;
            });
            RandomAccess.FlushToDisk(_file);
            if (spare) _ = Advise(_file, 0, 0, DontNeed);
            return Task.CompletedTask;
        }

        [DllImport("libc", EntryPoint = "posix_fadvise"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)] private static extern int Advise(SafeFileHandle file, long from, long length, int advice);

        public ValueTask DisposeAsync()
        {
            _file.Dispose();
            if (!_sealed && File.Exists(_staged)) File.Delete(_staged);
            return ValueTask.CompletedTask;
        }
    }
}
