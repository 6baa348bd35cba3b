using Cloud.Agents.Contract.Libvirt;

namespace Cloud.Agents.Sidecar;

/// <summary>What this host is. KVM is probed once: it doesn't change while the process lives.</summary>
internal sealed class HostProbe
{
    private readonly Lazy<bool> kvm = new(Kvm.Works);

    internal HostInfo Describe(ConnectHandle connect)
    {
        Domains.Check(connect, Native.virNodeGetInfo(connect, out var node));
        Domains.Check(connect, Native.virConnectGetVersion(connect, out var version));
        var capabilities = Native.virConnectGetCapabilities(connect);
        if (capabilities == IntPtr.Zero) throw Errors.Last(connect);
        var host = Devices.Parse(Native.TakeString(capabilities)).Element("host");
        return new HostInfo
        {
            Hypervisor = System.Runtime.InteropServices.Marshal.PtrToStringUTF8(Native.virConnectGetType(connect)) ?? "",
            Version = $"{version / 1_000_000}.{version / 1000 % 1000}.{version % 1000}",
            CpuModel = host?.Element("cpu")?.Element("model")?.Value ?? "",
            Cpus = (int)node.Cpus,
            MemoryKib = (long)node.Memory,
            Kvm = kvm.Value,
            Uuid = host?.Element("uuid")?.Value ?? "",
        };
    }
}
