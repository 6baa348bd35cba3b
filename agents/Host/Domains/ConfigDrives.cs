using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Metadata;

namespace Cloud.Agents.Host.Domains;

/// <summary>The metadata as a CD in the guest, labelled config-2.</summary>
public sealed class ConfigDrives(HostOptions options, MetadataTree metadata)
{
    public void Write(DomainSpec spec, string path)
    {
        var part = path + ".part";
        var disc = new IsoImage("config-2");
        foreach (var (name, bytes) in metadata.Files(spec))
            disc.Add(name, bytes);
        using (var file = new FileStream(part, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            disc.WriteTo(file);
        Durable.Publish(part, path);
    }

    public void Remove(string serverId) => File.Delete(Path.Combine(options.ConfigDrives, Ids.Check(serverId) + ".iso"));

    public IEnumerable<string> All() => Directory.EnumerateFiles(options.ConfigDrives).Select(f => Path.GetFileName(f).Split('.')[0]);
}
