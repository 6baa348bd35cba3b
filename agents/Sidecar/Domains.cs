using System.Runtime.InteropServices;
using System.Text;
using Cloud.Agents.Contract.Libvirt;

namespace Cloud.Agents.Sidecar;

/// <summary>Domains of this cloud: looks up, describes, drives. Those of others on the same host don't exist here.</summary>
internal static class Domains
{
    internal const string Prefix = "cs-";

    // managed save, snapshot metadata, NVRAM, checkpoint metadata: what would make libvirt refuse
    private const uint UndefineAll = 1 | 2 | 4 | 16;
    private const uint AcpiPowerButton = 1;
    private const uint ResizeInBytes = 1;

    internal static bool IsOurs(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <exception cref="LibvirtException">No such domain.</exception>
    internal static DomainHandle Find(ConnectHandle connect, string name)
    {
        if (!IsOurs(name)) throw new LibvirtException(Errors.NoDomain, $"no domain '{name}' of this cloud");
        var domain = Native.virDomainLookupByName(connect, name);
        return domain.IsInvalid ? throw Errors.Last(connect) : domain;
    }

    internal static DomainHandle Define(ConnectHandle connect, string xml)
    {
        var name = Devices.Parse(xml).Element("name")?.Value ?? "";
        if (!IsOurs(name)) throw new LibvirtException(Errors.InvalidArgument, $"the domain's name must begin with {Prefix}");
        var domain = Native.virDomainDefineXMLFlags(connect, xml, 0);
        return domain.IsInvalid ? throw Errors.Last(connect) : domain;
    }

    /// <param name="settle">Right after libvirtd started: wait until it knows whether the guests still run.</param>
    internal static List<DomainInfo> List(ConnectHandle connect, bool settle = false)
    {
        var count = Native.virConnectListAllDomains(connect, out var array, 0);
        if (count < 0) throw Errors.Last(connect);
        var handles = new DomainHandle[count];
        for (var i = 0; i < count; i++) handles[i] = new DomainHandle(Marshal.ReadIntPtr(array, i * IntPtr.Size));
        Native.free(array);
        var found = new List<DomainInfo>(count);
        foreach (var domain in handles)
            using (domain)
            {
                if (!IsOurs(Name(domain))) continue;
                if (settle) Settle(domain);
                try { found.Add(Describe(connect, domain)); }
                catch (LibvirtException e) when (e.Code == Errors.NoDomain) { }   // undefined since
            }
        return found;
    }

    /// <summary>
    /// Waits until libvirtd has finished what it does to the guest: starting it, or finding out after a start of its own whether
    /// it still runs (until then it says so, and it sends no event if not). A question about the guest's memory has to wait
    /// for that; the answer doesn't matter.
    /// </summary>
    private static void Settle(DomainHandle domain) => _ = Native.virDomainMemoryStats(domain, new ulong[2], 1, 0);

    internal static DomainInfo Describe(ConnectHandle connect, DomainHandle domain)
    {
        if (Native.virDomainGetInfo(domain, out var stats) < 0) throw Errors.Last(connect);
        var uuid = new byte[37];
        if (Native.virDomainGetUUIDString(domain, uuid) < 0) throw Errors.Last(connect);
        return new DomainInfo
        {
            Name = Name(domain),
            Uuid = Encoding.ASCII.GetString(uuid, 0, 36),
            State = CurrentState(connect, domain),
            Xml = Xml(connect, domain, inactive: false),
            CpuNs = (long)stats.CpuTime,
            MemoryKib = (long)stats.Memory,
        };
    }

    internal static string Xml(ConnectHandle connect, DomainHandle domain, bool inactive)
    {
        var xml = Native.virDomainGetXMLDesc(domain, inactive ? 2u : 0);
        return xml == IntPtr.Zero ? throw Errors.Last(connect) : Native.TakeString(xml);
    }

    internal static bool IsActive(ConnectHandle connect, DomainHandle domain) => Check(connect, Native.virDomainIsActive(domain)) == 1;

    internal static bool IsPersistent(ConnectHandle connect, DomainHandle domain) => Check(connect, Native.virDomainIsPersistent(domain)) == 1;

    internal static void Start(ConnectHandle connect, DomainHandle domain)
    {
        if (IsActive(connect, domain)) Settle(domain);   // being started by somebody else, which may still fail
        Reach(connect, domain, () => IsActive(connect, domain), () => Native.virDomainCreateWithFlags(domain, 0));
    }

    internal static void Destroy(ConnectHandle connect, DomainHandle domain) =>
        Reach(connect, domain, () => !IsActive(connect, domain), () => Native.virDomainDestroyFlags(domain, 0));

    internal static void Shutdown(ConnectHandle connect, DomainHandle domain) =>
        Reach(connect, domain, () => !IsActive(connect, domain), () => Native.virDomainShutdownFlags(domain, AcpiPowerButton));

    internal static void Suspend(ConnectHandle connect, DomainHandle domain) =>
        Reach(connect, domain, () => Is(connect, domain, DomainState.Paused), () => Native.virDomainSuspend(domain));

    internal static void Resume(ConnectHandle connect, DomainHandle domain) =>
        Reach(connect, domain, () => Is(connect, domain, DomainState.Running), () => Native.virDomainResume(domain));

    internal static void Reset(ConnectHandle connect, DomainHandle domain) => Check(connect, Native.virDomainReset(domain, 0));

    /// <summary>A running domain lives on without its definition until it is powered off.</summary>
    internal static void Undefine(ConnectHandle connect, DomainHandle domain) =>
        Reach(connect, domain, () => !IsPersistent(connect, domain), () => Native.virDomainUndefineFlags(domain, UndefineAll));

    internal static void Resize(ConnectHandle connect, DomainHandle domain, string device, long bytes) =>
        Check(connect, Native.virDomainBlockResize(domain, device, (ulong)bytes, ResizeInBytes));

    internal static int Check(ConnectHandle connect, int result) => result < 0 ? throw Errors.Last(connect) : result;

    /// <summary>Acts unless the domain is there already; a refusal counts only if it still isn't.</summary>
    private static void Reach(ConnectHandle connect, DomainHandle domain, Func<bool> there, Func<int> act)
    {
        if (there() || act() >= 0) return;
        var error = Errors.Last(connect);
        if (error.Code != Errors.OperationInvalid || !there()) throw error;
    }

    private static bool Is(ConnectHandle connect, DomainHandle domain, DomainState wanted) => CurrentState(connect, domain) == wanted;

    private static DomainState CurrentState(ConnectHandle connect, DomainHandle domain)
    {
        Check(connect, Native.virDomainGetState(domain, out var state, out var reason, 0));
        return State(state, reason);
    }

    /// <summary>virDomainState, and its reason where that makes a difference.</summary>
    internal static DomainState State(int state, int reason) => (state, reason) switch
    {
        (1 or 2, _) => DomainState.Running,        // running; blocked on a resource
        (3, 11) => DomainState.Running,            // not yet: libvirtd is starting it and will let it go
        (3 or 7, _) => DomainState.Paused,         // paused; suspended by the guest's power management
        (4, _) => DomainState.ShuttingDown,
        (5, _) => DomainState.Off,
        (6, _) => DomainState.Crashed,
        _ => DomainState.Unknown,
    };

    private static string Name(DomainHandle domain) => Marshal.PtrToStringUTF8(Native.virDomainGetName(domain)) ?? "";
}
