using System.Runtime.InteropServices;

namespace Cloud.Agents.Sidecar;

/// <summary>
/// The calls of libvirt's C API that are used. A negative number or an invalid handle means failure, the reason is the calling
/// thread's last error: see <see cref="Errors.Last"/>. Strings given back by <c>IntPtr</c> belong to the caller (<see cref="TakeString"/>).
/// </summary>
internal static partial class Native
{
    private const string Lib = "libvirt.so.0";
    private const string LibC = "libc";

    [LibraryImport(Lib)] internal static partial int virInitialize();
    [LibraryImport(Lib)] internal static partial int virEventRegisterDefaultImpl();
    [LibraryImport(Lib)] internal static partial int virEventRunDefaultImpl();
    [LibraryImport(Lib)] internal static partial IntPtr virGetLastError();
    [LibraryImport(Lib)] internal static partial void virSetErrorFunc(IntPtr userData, IntPtr handler);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)] internal static partial ConnectHandle virConnectOpen(string uri);
    [LibraryImport(Lib)] internal static partial int virConnectClose(IntPtr connect);
    [LibraryImport(Lib)] internal static partial int virConnectIsAlive(ConnectHandle connect);
    [LibraryImport(Lib)] internal static partial int virConnectSetKeepAlive(ConnectHandle connect, int interval, uint count);
    [LibraryImport(Lib)] internal static partial int virConnectRegisterCloseCallback(ConnectHandle connect, IntPtr callback, IntPtr opaque, IntPtr free);
    [LibraryImport(Lib)] internal static partial int virConnectUnregisterCloseCallback(ConnectHandle connect, IntPtr callback);
    [LibraryImport(Lib)] internal static partial int virConnectDomainEventRegisterAny(ConnectHandle connect, IntPtr domain, int eventId, IntPtr callback, IntPtr opaque, IntPtr free);
    [LibraryImport(Lib)] internal static partial int virConnectDomainEventDeregisterAny(ConnectHandle connect, int callbackId);
    [LibraryImport(Lib)] internal static partial IntPtr virConnectGetType(ConnectHandle connect);
    [LibraryImport(Lib)] internal static partial int virConnectGetVersion(ConnectHandle connect, out nuint version);
    [LibraryImport(Lib)] internal static partial IntPtr virConnectGetCapabilities(ConnectHandle connect);
    [LibraryImport(Lib)] internal static partial int virNodeGetInfo(ConnectHandle connect, out NodeInfo info);
    [LibraryImport(Lib)] internal static partial int virConnectListAllDomains(ConnectHandle connect, out IntPtr domains, uint flags);

    [LibraryImport(Lib)] internal static partial int virConnectGetAllDomainStats(ConnectHandle connect, uint stats, out IntPtr records, uint flags);
    [LibraryImport(Lib)] internal static partial void virDomainStatsRecordListFree(IntPtr records);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)] internal static partial DomainHandle virDomainLookupByName(ConnectHandle connect, string name);
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)] internal static partial DomainHandle virDomainDefineXMLFlags(ConnectHandle connect, string xml, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainFree(IntPtr domain);
    [LibraryImport(Lib)] internal static partial IntPtr virDomainGetName(DomainHandle domain);
    [LibraryImport(Lib, EntryPoint = nameof(virDomainGetName))] internal static partial IntPtr virDomainGetNameRaw(IntPtr domain);
    [LibraryImport(Lib)] internal static partial int virDomainGetUUIDString(DomainHandle domain, [Out] byte[] text37);
    [LibraryImport(Lib)] internal static partial int virDomainGetState(DomainHandle domain, out int state, out int reason, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainGetInfo(DomainHandle domain, out DomainStats info);
    [LibraryImport(Lib)] internal static partial int virDomainMemoryStats(DomainHandle domain, [Out] ulong[] tagsAndValues, uint count, uint flags);
    [LibraryImport(Lib)] internal static partial IntPtr virDomainGetXMLDesc(DomainHandle domain, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainIsActive(DomainHandle domain);
    [LibraryImport(Lib)] internal static partial int virDomainIsPersistent(DomainHandle domain);
    [LibraryImport(Lib)] internal static partial int virDomainCreateWithFlags(DomainHandle domain, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainDestroyFlags(DomainHandle domain, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainShutdownFlags(DomainHandle domain, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainSuspend(DomainHandle domain);
    [LibraryImport(Lib)] internal static partial int virDomainResume(DomainHandle domain);
    [LibraryImport(Lib)] internal static partial int virDomainReset(DomainHandle domain, uint flags);
    [LibraryImport(Lib)] internal static partial int virDomainUndefineFlags(DomainHandle domain, uint flags);
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)] internal static partial int virDomainAttachDeviceFlags(DomainHandle domain, string xml, uint flags);
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)] internal static partial int virDomainDetachDeviceFlags(DomainHandle domain, string xml, uint flags);
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)] internal static partial int virDomainBlockResize(DomainHandle domain, string disk, ulong size, uint flags);

    [LibraryImport(LibC)] internal static partial void free(IntPtr memory);
    [LibraryImport(LibC)] internal static partial uint umask(uint mask);

    /// <summary>Reads a string that the caller owns, and frees it.</summary>
    internal static string TakeString(IntPtr text)
    {
        try { return Marshal.PtrToStringUTF8(text) ?? ""; }
        finally { free(text); }
    }

    /// <summary>virNodeInfo; memory in KiB.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct NodeInfo
    {
        internal unsafe fixed byte Model[32];
        internal nuint Memory;
        internal uint Cpus, Mhz, Nodes, Sockets, Cores, Threads;
    }

    /// <summary>virDomainStatsRecord: a domain, which the list owns, and its numbers.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct StatsRecord
    {
        internal IntPtr Domain, Parameters;
        internal int Count;
    }

    /// <summary>virTypedParameter; strings are pointers in <see cref="Value"/>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct TypedParameter
    {
        internal fixed byte Field[80];
        internal int Type;
        internal long Value;
    }

    /// <summary>virDomainInfo; memory in KiB, CPU time in ns.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct DomainStats
    {
        internal byte State;
        internal nuint MaxMemory, Memory;
        internal ushort Vcpus;
        internal ulong CpuTime;
    }
}

/// <summary>A virConnectPtr; closed when the last call that uses it has returned.</summary>
internal sealed class ConnectHandle() : SafeHandle(IntPtr.Zero, ownsHandle: true)
{
    public override bool IsInvalid => handle == IntPtr.Zero;
    protected override bool ReleaseHandle() => Native.virConnectClose(handle) >= 0;
}

/// <summary>A virDomainPtr.</summary>
internal sealed class DomainHandle() : SafeHandle(IntPtr.Zero, ownsHandle: true)
{
    internal DomainHandle(IntPtr domain) : this() => SetHandle(domain);
    public override bool IsInvalid => handle == IntPtr.Zero;
    protected override bool ReleaseHandle() => Native.virDomainFree(handle) >= 0;
}
