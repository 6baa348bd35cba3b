using Cloud.Agents.Contract;
using Cloud.Placement;
using Cloud.Platform;
using Cloud.Platform.Sagas;

namespace Cloud.Compute;

/// <summary>From a server's row to what its host is told.</summary>
public static class ServerSpecs
{
    public static Resources Needs(Server s) => new(s.Flavor.Vcpus, s.Flavor.Ram, s.ImageId is null ? 0 : s.Flavor.Disk);

    /// <summary>A disk of the flavor's size over the image; of the image's own size where the flavor says 0.</summary>
    public static async ValueTask<HostCommand> RootDisk(Services s, Server server)
    {
        var image = await Image.Facade.Get(s, server.ImageId!) ?? throw new SagaFault($"Image {server.ImageId} is gone.");
        return new(server.Host, new EnsureDisk(server.Id, Math.Max((long)server.Flavor.Disk << 30, image.VirtualBytes), image.Command));
    }

    public static async ValueTask<HostCommand> Ensure(Services s, Server server)
    {
        var nics = (await Network.Facade.Nics(s, server.ProjectId, server.Id, server.Nics.Select(n => n.PortId))).ToDictionary(n => n.PortId);
        List<DiskSpec> disks = server.ImageId is null ? [] : [new(server.Id, "vda", Serial(server.Id))];
        disks.AddRange(server.Volumes.Where(v => v.State != "detaching").OrderBy(v => v.Device, StringComparer.Ordinal).Select(v => new DiskSpec(v.VolumeId, v.Device, Serial(v.VolumeId))));
        return new(server.Host, new EnsureDomain(new(server.Id, server.ProjectId, server.Name, server.Flavor.Vcpus, server.Flavor.Ram, [.. disks],
            [.. server.Nics.Where(n => n.State != "detaching" && nics.ContainsKey(n.PortId)).Select(n => nics[n.PortId]).Select(n => new NicSpec(n.PortId, n.Mac, n.Mtu))], server.Power,
            new(server.Hostname, server.Zone, server.KeyName, server.PublicKey, server.Metadata, server.UserData, server.AdminPass), server.ConfigDrive)));
    }

    // virtio takes 20 characters; clients look for a volume's first 20.
    private static string Serial(string id) => id.Length > 20 ? id[..20] : id;
}
