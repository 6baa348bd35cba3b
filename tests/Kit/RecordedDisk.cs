using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Cloud.Tests.Kit;

public enum Done { Write, Truncate, Sync, Delete, Note }

/// <summary>Something that was done to a file.</summary>
/// <param name="File">Its name; for a note what somebody had to say.</param>
/// <param name="At">Where it was written, or how long the file is now.</param>
public sealed record Act(Done What, string File, long At, byte[] Bytes);

/// <summary>
/// Writes down what SQLite does to the files of one directory, write by write and sync by sync, so that a disk can be made as it was at any moment. It lies between SQLite
/// and the file system (https://www.sqlite.org/vfs.html): the same functions, with three of each file's and one of all files' in between.
/// </summary>
public sealed class RecordedDisk : IDisposable
{
    // Of sqlite3_vfs and sqlite3_io_methods, on 64 bits: their sizes, and where the functions are.
    private const int VfsSize = 168, VfsName = 24, VfsOpen = 40, VfsDelete = 48, MethodsSize = 152, MethodsWrite = 24, MethodsTruncate = 32, MethodsSync = 40;

    private delegate int Open(IntPtr vfs, IntPtr name, IntPtr file, int flags, IntPtr outFlags);
    private delegate int Delete(IntPtr vfs, IntPtr name, int sync);
    private delegate int Write(IntPtr file, IntPtr bytes, int count, long at);
    private delegate int Truncate(IntPtr file, long length);
    private delegate int Sync(IntPtr file, int flags);
    private delegate IntPtr VfsFind(IntPtr name);
    private delegate int VfsRegister(IntPtr vfs, int byDefault);

    private sealed record Methods(Write Write, Truncate Truncate, Sync Sync);

    // Files that are open when it is disposed go on through them.
    private static readonly List<Delegate> s_kept = [];
    private readonly ConcurrentDictionary<IntPtr, Methods> _methods = [];
    private readonly ConcurrentDictionary<IntPtr, IntPtr> _tables = [];
    private readonly ConcurrentDictionary<IntPtr, string> _names = [];
    private readonly List<Act> _acts = [];
    private readonly string _directory;
    private readonly IntPtr _real;
    private readonly Open _open;
    private readonly Delete _delete;
    private readonly VfsRegister _register;

    public RecordedDisk(string directory)
    {
        _directory = directory + "/";
        Batteries_V2.Init();
        var library = NativeLibrary.Load("e_sqlite3", typeof(SQLite3Provider_e_sqlite3).Assembly, null);
        T Export<T>(string name) where T : Delegate => Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(library, name));
        _register = Export<VfsRegister>("sqlite3_vfs_register");
        _real = Export<VfsFind>("sqlite3_vfs_find")(IntPtr.Zero);
        (_open, _delete) = (At<Open>(_real, VfsOpen), At<Delete>(_real, VfsDelete));
        var ours = Copy(_real, VfsSize);
        Marshal.WriteIntPtr(ours, VfsName, Marshal.StringToHGlobalAnsi("recorded"));
        Put<Open>(ours, VfsOpen, Opened);
        Put<Delete>(ours, VfsDelete, Deleted);
        _ = _register(ours, 1);
    }

    public IReadOnlyList<Act> Acts { get { lock (_acts) return [.. _acts]; } }

    public void Note(string text) => Add(new(Done.Note, text, 0, []));

    public void Dispose() => _register(_real, 1);

    private int Opened(IntPtr vfs, IntPtr name, IntPtr file, int flags, IntPtr outFlags)
    {
        var result = _open(vfs, name, file, flags, outFlags);
        if (result != raw.SQLITE_OK || name == IntPtr.Zero || Marshal.PtrToStringUTF8(name) is not { } path || !path.StartsWith(_directory, StringComparison.Ordinal)) return result;
        _names[file] = path[_directory.Length..];
        var table = Marshal.ReadIntPtr(file);
        Marshal.WriteIntPtr(file, _tables.GetOrAdd(table, Wrapped));
        return result;
    }

    private IntPtr Wrapped(IntPtr table)
    {
        var ours = Copy(table, MethodsSize);
        _methods[ours] = new(At<Write>(table, MethodsWrite), At<Truncate>(table, MethodsTruncate), At<Sync>(table, MethodsSync));
        Put<Write>(ours, MethodsWrite, Written);
        Put<Truncate>(ours, MethodsTruncate, Truncated);
        Put<Sync>(ours, MethodsSync, Synced);
        return ours;
    }

    private int Written(IntPtr file, IntPtr bytes, int count, long at)
    {
        var copy = new byte[count];
        Marshal.Copy(bytes, copy, 0, count);
        Add(new(Done.Write, _names[file], at, copy));
        return Of(file).Write(file, bytes, count, at);
    }

    private int Truncated(IntPtr file, long length)
    {
        Add(new(Done.Truncate, _names[file], length, []));
        return Of(file).Truncate(file, length);
    }

    private int Synced(IntPtr file, int flags)
    {
        var result = Of(file).Sync(file, flags);
        Add(new(Done.Sync, _names[file], 0, []));
        return result;
    }

    private int Deleted(IntPtr vfs, IntPtr name, int sync)
    {
        if (Marshal.PtrToStringUTF8(name) is { } path && path.StartsWith(_directory, StringComparison.Ordinal)) Add(new(Done.Delete, path[_directory.Length..], 0, []));
        return _delete(vfs, name, sync);
    }

    private Methods Of(IntPtr file) => _methods[Marshal.ReadIntPtr(file)];

    private void Add(Act act)
    {
        lock (_acts) _acts.Add(act);
    }

    private static T At<T>(IntPtr table, int offset) where T : Delegate => Marshal.GetDelegateForFunctionPointer<T>(Marshal.ReadIntPtr(table, offset));

    private static void Put<T>(IntPtr table, int offset, T function) where T : Delegate
    {
        lock (s_kept) s_kept.Add(function);
        Marshal.WriteIntPtr(table, offset, Marshal.GetFunctionPointerForDelegate(function));
    }

    private static IntPtr Copy(IntPtr from, int size)
    {
        var (bytes, copy) = (new byte[size], Marshal.AllocHGlobal(size));
        Marshal.Copy(from, bytes, 0, size);
        Marshal.Copy(bytes, 0, copy, size);
        return copy;
    }
}
