namespace Cloud.Agents.Sidecar;

/// <param name="Socket">Path of the unix socket to serve on.</param>
/// <param name="Uri">Where libvirtd is, e.g. <c>qemu:///system</c> or <c>qemu+unix:///system?socket=PATH</c>.</param>
internal sealed record SidecarOptions(string Socket, string Uri)
{
    internal const string Usage = "usage: Cloud.Agents.Sidecar --socket PATH [--uri URI]   (URI: $LIBVIRT_URI, or qemu:///system) | --kvm: says whether KVM is worth using here";

    /// <summary>Null when the arguments make no sense.</summary>
    internal static SidecarOptions? Parse(string[] args, string? defaultUri)
    {
        string? socket = null;
        var uri = string.IsNullOrEmpty(defaultUri) ? "qemu:///system" : defaultUri;
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || args[i + 1].Length == 0) return null;
            switch (args[i])
            {
                case "--socket": socket = args[i + 1]; break;
                case "--uri": uri = args[i + 1]; break;
                default: return null;
            }
        }
        return socket is null ? null : new(Path.GetFullPath(socket), uri);
    }
}
