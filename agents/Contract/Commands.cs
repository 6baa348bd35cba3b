using System.Text.Json.Serialization;

namespace Cloud.Agents.Contract;

/// <summary>
/// What the control plane asks of one host. Every command is safe to receive twice and in any order after the first:
/// Ensure states the whole wished state of one thing, Remove that it must be gone (and that it was never there is fine).
/// </summary>
/// <param name="Key">The thing on the host that the fence guards, e.g. <c>domain/{server id}</c>.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(EnsureImage), "EnsureImage")]
[JsonDerivedType(typeof(RemoveImage), "RemoveImage")]
[JsonDerivedType(typeof(EnsureDisk), "EnsureDisk")]
[JsonDerivedType(typeof(RemoveDisk), "RemoveDisk")]
[JsonDerivedType(typeof(CopyDisk), "CopyDisk")]
[JsonDerivedType(typeof(EnsureNetwork), "EnsureNetwork")]
[JsonDerivedType(typeof(EnsureGroup), "EnsureGroup")]
[JsonDerivedType(typeof(EnsurePort), "EnsurePort")]
[JsonDerivedType(typeof(RemovePort), "RemovePort")]
[JsonDerivedType(typeof(EnsureRouter), "EnsureRouter")]
[JsonDerivedType(typeof(RemoveRouter), "RemoveRouter")]
[JsonDerivedType(typeof(EnsureDomain), "EnsureDomain")]
[JsonDerivedType(typeof(RebootDomain), "RebootDomain")]
[JsonDerivedType(typeof(RemoveDomain), "RemoveDomain")]
[JsonDerivedType(typeof(ReadConsole), "ReadConsole")]
public abstract record Command([property: JsonIgnore] string Key)
{
    /// <summary>Not what it says: a guest's password may be in it.</summary>
    public sealed override string ToString() => $"{GetType().Name} {Key}";
}

/// <summary>Fetches an image into the host's cache and checks its digest.</summary>
/// <param name="Url">Control plane address of the bytes; the host adds its own credential.</param>
/// <param name="Sha512">Lower-case hex digest of the bytes as stored.</param>
/// <param name="Format">qcow2 or raw; always given to qemu, never probed.</param>
public sealed record EnsureImage(string ImageId, string Url, string Sha512, string Format, long Bytes) : Command($"image/{ImageId}");

public sealed record RemoveImage(string ImageId) : Command($"image/{ImageId}");

/// <summary>A disk file: an overlay on a cached image when <paramref name="Image"/> is given, else blank. Grows, never shrinks.</summary>
public sealed record EnsureDisk(string DiskId, long Bytes, EnsureImage? Image = null) : Command($"disk/{DiskId}");

public sealed record RemoveDisk(string DiskId) : Command($"disk/{DiskId}");

/// <summary>A point-in-time copy of a disk, and back: <paramref name="FromDiskId"/> is copied to <paramref name="DiskId"/>.</summary>
public sealed record CopyDisk(string DiskId, string FromDiskId, long Bytes) : Command($"disk/{DiskId}");

/// <summary>Brings a network that is present on this host up to date (addresses, DNS, peers). A host that has no port on it does nothing.</summary>
public sealed record EnsureNetwork(NetworkSpec Network) : Command($"network/{Network.NetworkId}");

/// <summary>
/// Addresses of a security group's members, of either IP version, for rules of ports here that name the group. Told once for all these
/// ports; kept while it may be needed, and never said to be gone.
/// </summary>
public sealed record EnsureGroup(string GroupId, string[] Addresses) : Command($"group/{GroupId}");

/// <summary>A port with its tap, DHCP entry, anti-spoofing and security rules. Makes the network on this host when it is the first port.</summary>
public sealed record EnsurePort(NetworkSpec Network, PortSpec Port) : Command($"port/{Port.PortId}");

/// <summary>Removes a port; with the last port of a network on this host goes the network.</summary>
public sealed record RemovePort(string PortId) : Command($"port/{PortId}");

/// <summary>A router namespace with all its interfaces, routes, source NAT and floating IPs.</summary>
public sealed record EnsureRouter(RouterSpec Router) : Command($"router/{Router.RouterId}");

public sealed record RemoveRouter(string RouterId) : Command($"router/{RouterId}");

/// <summary>A guest with exactly these disks and ports, in this power state. Differences are hot-plugged where the guest runs.</summary>
public sealed record EnsureDomain(DomainSpec Domain) : Command($"domain/{Domain.ServerId}");

/// <summary>Restarts a guest: soft asks it (ACPI) and falls back to hard after a grace time.</summary>
/// <param name="Nonce">One restart per nonce, so that a repeated message doesn't restart twice.</param>
public sealed record RebootDomain(string ServerId, bool Soft, string Nonce) : Command($"domain/{ServerId}");

public sealed record RemoveDomain(string ServerId) : Command($"domain/{ServerId}");

/// <summary>Reads the end of a guest's console; replies with <see cref="Result.Text"/>. Changes nothing, needs no fence.</summary>
/// <param name="Lines">How many lines from the end; null for all that is kept (1 MiB).</param>
public sealed record ReadConsole(string ServerId, int? Lines) : Command($"console/{ServerId}");
