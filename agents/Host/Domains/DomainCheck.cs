using System.Text.RegularExpressions;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Domains;

/// <summary>What a specification must look like before anything is made of it. Texts of tenants (names, metadata) are not looked at: they reach no file name and no XML.</summary>
public static partial class DomainCheck
{
    private const int MaxDevices = 24;

    /// <exception cref="HandlerFault">With what is wrong; trying again won't help.</exception>
    public static void Check(DomainSpec spec)
    {
        Ids.Check(spec.ServerId);
        Need(spec.Vcpus is >= 1 and <= 255, "a guest has 1 to 255 processors");
        Need(spec.MemoryMiB is >= 16 and <= 1 << 24, "a guest has 16 MiB to 16 TiB of memory");
        Need(spec.Disks.Length is >= 1 and <= MaxDevices, "a guest has 1 to 24 disks");
        Need(spec.Nics.Length <= MaxDevices, "a guest has at most 24 network interfaces");
        foreach (var disk in spec.Disks)
        {
            Ids.Check(disk.DiskId);
            Ids.Check(disk.Serial);
            Need(Device().IsMatch(disk.Device), "a disk's device is vda to vdz");
        }

        foreach (var nic in spec.Nics)
        {
            Ids.Check(nic.PortId);
            Need(Mac().IsMatch(nic.Mac), "a MAC address is six pairs of hex digits");
            Need(nic.Mtu is 0 or (>= 68 and <= 65521), "an MTU is 68 to 65521");
        }

        Need(Distinct(spec.Disks, d => d.Device) && Distinct(spec.Disks, d => d.DiskId), "disks and devices of a guest differ");
        Need(Distinct(spec.Nics, n => n.PortId) && Distinct(spec.Nics, n => n.Mac.ToLowerInvariant()), "ports and MAC addresses of a guest differ");
    }

    private static bool Distinct<T>(T[] items, Func<T, string> key) => items.Select(key).Distinct(StringComparer.Ordinal).Count() == items.Length;

    private static void Need(bool holds, string text)
    {
        if (!holds)
            throw new HandlerFault(text, retry: false);
    }

    [GeneratedRegex("^vd[a-z]\\z")]
    private static partial Regex Device();

    [GeneratedRegex("^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\\z")]
    private static partial Regex Mac();
}
