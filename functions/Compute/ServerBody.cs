using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>The body of a new server, read and checked.</summary>
public static class ServerBody
{
    private const int MostNics = 16, MostGroups = 16;

    /// <summary>A server as the body describes it, without an id.</summary>
    /// <exception cref="Fault">400, 403 or 409.</exception>
    public static async ValueTask<Server> Read(Call c, BodyReader read)
    {
        var name = read.Name("name") ?? throw Fault.BadRequest("Invalid input for field/attribute server. 'name' is a required property");
        var flavor = await Flavors.Find(c, Reference(read, "flavorRef")) ?? throw Fault.BadRequest("Invalid flavorRef provided.");
        if (flavor.Ephemeral > 0 || flavor.Swap > 0) throw Fault.BadRequest("The flavor has ephemeral or swap disks, which this cloud doesn't offer.");
        var image = read.Text("imageRef", 255) is { Length: > 0 } id ? await Image.Facade.ForBoot(c, id[(id.LastIndexOf('/') + 1)..]) : null;
        CheckSize(flavor, image);
        var volumes = await BootDevices.Read(c, read, image?.Id);
        var key = read.Text("key_name", 255) is { } keyName ? await Keypairs.Get(c, keyName) ?? throw Fault.BadRequest("Invalid key_name provided.") : null;
        var groups = read.List("security_groups", MostGroups).Select(Group).Distinct().ToList();
        var (zone, host) = await Place(c, read);
        var metadata = read.Map("metadata");
        var most = (await Servers.Quota.LimitsOf(c.Store, c.ProjectId))["metadata_items"];
        if (most >= 0 && metadata.Count > most) throw new Fault(403, $"Quota exceeded for metadata_items: maximum number of metadata items exceeds {most}");
        var server = new Server
        {
            Name = name, UserId = c.Caller.UserId, ImageId = image?.Id, Flavor = new(flavor.Id, flavor.Name, flavor.Vcpus, flavor.Ram, flavor.Disk, flavor.ExtraSpecs), Volumes = volumes,
            KeyName = key?.Name, PublicKey = key is { Type: "ssh" } ? key.PublicKey : null, Metadata = metadata, Zone = zone, WantedHost = host, UserData = UserData(read),
            AdminPass = read.Text("adminPass", 255) ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(9)), GroupNames = [.. groups], Groups = groups.Count == 0 ? null : [.. await Network.Facade.Groups(c, groups)],
            ConfigDrive = read.Flag("config_drive") ?? false, ReservationId = "r-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)), DiskConfig = DiskConfig(read) ?? "MANUAL",
            AccessIPv4 = read.Address("accessIPv4", AddressFamily.InterNetwork) ?? "", AccessIPv6 = read.Address("accessIPv6", AddressFamily.InterNetworkV6) ?? "", Hostname = HostnameOf(name), Nics = await Nics(c, read),
        };
        server = Newer(c, read, server);
        read.NothingElse();
        return server;
    }

    /// <summary>MANUAL, AUTO, or null when nothing is said.</summary>
    public static string? DiskConfig(BodyReader read) => read.Text("OS-DCF:diskConfig", 10) is var disk && disk is null or "AUTO" or "MANUAL" ? disk : throw Fault.BadRequest("Invalid input for field/attribute OS-DCF:diskConfig: it must be AUTO or MANUAL.");

    public static string CheckedHostname(string name) =>
        name.Length is > 0 and <= 63 && name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch == '-') && name[0] != '-' && name[^1] != '-' ? name.ToLowerInvariant() : throw Fault.BadRequest("Invalid input for field/attribute hostname: letters, digits and hyphens inside make a host name.");

    internal static string HostnameOf(string name)
    {
        var clean = string.Concat(name.ToLowerInvariant().Select(ch => char.IsAsciiLetterOrDigit(ch) || ch == '-' ? ch : ch is ' ' or '_' or '.' ? '-' : '\0').Where(ch => ch != '\0')).Trim('-');
        return clean.Length == 0 ? "server" : clean.Length > 63 ? clean[..63].TrimEnd('-') : clean;
    }

    // Members that later versions brought; earlier ones don't know them.
    private static Server Newer(Call c, BodyReader read, Server s)
    {
        if (!c.From(57) && read.List("personality", 5).Count > 0) throw Fault.BadRequest("Invalid input for field/attribute personality: files are not put into guests; use user_data.");
        if (c.From(19)) s = s with { Description = read.Printable("description", 255) };
        if (c.From(52)) s = s with { Tags = ServerMetadata.ReadTags(read) };
        if (c.From(63) && read.List("trusted_image_certificates", 50).Count > 0) throw Fault.BadRequest("Invalid input for field/attribute trusted_image_certificates: certificates of images are not checked by this cloud.");
        if (c.From(90) && read.Text("hostname", 63) is { } hostname) s = s with { Hostname = CheckedHostname(hostname) };
        return s;
    }

    private static void CheckSize(Flavor flavor, Image.Facade.BootImage? image)
    {
        if (image is null) return;
        if (image.MinRam > flavor.Ram) throw Fault.BadRequest("Flavor's memory is too small for requested image.");
        if (flavor.Disk > 0 && (image.MinDisk > flavor.Disk || image.VirtualBytes > (long)flavor.Disk << 30)) throw Fault.BadRequest("Flavor's disk is too small for requested image.");
    }

    private static string Reference(BodyReader read, string name) =>
        read.Get(name) is { ValueKind: JsonValueKind.Number } number ? number.GetRawText() : read.Required(name, 255);

    private static string Group(JsonElement e)
    {
        var read = BodyReader.Of(e);
        var name = read.Required("name", 255);
        read.NothingElse();
        return name;
    }

    private static string? UserData(BodyReader read)
    {
        const int most = 65535;
        if (read.Text("user_data", most) is not { } text) return null;
        return Convert.TryFromBase64String(text, new byte[text.Length], out _) ? text : throw Fault.BadRequest("Invalid input for field/attribute user_data: it must be base64.");
    }

    private static async ValueTask<NicOf[]> Nics(Call c, BodyReader read)
    {
        if (read.Get("networks") is not { } networks)
            return c.From(37) ? throw Fault.BadRequest("Invalid input for field/attribute server. 'networks' is a required property") : await Any(c);
        if (networks.ValueKind == JsonValueKind.String && c.From(37))
            return networks.GetString() switch { "none" => [], "auto" => await Any(c), _ => throw Fault.BadRequest("Invalid input for field/attribute networks: it must be a list, auto or none.") };
        var nics = new List<NicOf>();
        foreach (var e in read.List("networks", MostNics))
        {
            var r = BodyReader.Of(e);
            var (port, network, address) = (r.Uuid("port"), r.Uuid("uuid"), r.Address("fixed_ip"));
            if (c.From(32)) r.Text("tag", 60);
            r.NothingElse();
            if (port is null && network is null) throw Fault.BadRequest("Invalid input for field/attribute networks: a network or a port must be named.");
            if (port is not null && address is not null) throw Fault.BadRequest("Specified Fixed IP cannot be used with port: the port has its own.");
            nics.Add(new(port ?? "", port is null ? network : null, address, port is null));
        }
        if (nics.Count == 0) return await Any(c);
        await Network.Facade.Check(c, [.. nics.Select(n => new Network.Facade.Wish(n.Made ? null : n.PortId, n.NetworkId, n.FixedIp))]);
        return [.. nics];
    }

    private static async ValueTask<NicOf[]> Any(Call c) => (await Network.Facade.Usable(c)) switch
    {
        [] => [],
        [var only] => [new("", only, null, true)],
        _ => throw Fault.Conflict("Multiple possible networks found, use a Network ID to be more specific."),
    };

    /// <summary>Zone and, for administrators, host: ZONE, ZONE:HOST, ZONE:HOST:NODE, or members of their own since 2.74.</summary>
    private static async ValueTask<(string Zone, string? Host)> Place(Call c, BodyReader read)
    {
        var parts = read.Text("availability_zone", 255)?.Split(':') ?? [];
        if (parts.Length > 3) throw Fault.BadRequest("Invalid availability zone.");
        string? At(int i) => parts.ElementAtOrDefault(i) is { Length: > 0 } x ? x : null;
        var (zone, host) = (At(0), At(1) ?? At(2));
        var (named, node) = c.From(74) ? (read.Text("host", 255), read.Text("hypervisor_hostname", 255)) : default;
        if (host is not null && (named ?? node) is not null) throw Fault.BadRequest("Destination host and availability zone with a host can't both be given.");
        host ??= named ?? node;
        if (host is not null)
        {
            c.Require("admin", default);
            if (await Platform.Agents.Hosts.Get(c.Services, host, c.Cancelled) is null) throw Fault.BadRequest($"Compute host {(host.Length > 60 ? "" : host)} could not be found.");
        }
        if (zone is not null && !await Infrastructure.HasZone(c, zone)) throw Fault.BadRequest("The requested availability zone is not available");
        return (zone ?? "", host);
    }
}
