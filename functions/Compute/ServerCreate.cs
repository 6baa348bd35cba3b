using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>POST /servers: everything is checked here, so that a saga rarely has to say no.</summary>
public static class ServerCreate
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement.Clone();

    public static async ValueTask<Reply> Run(Call c)
    {
        var read = new BodyReader(c.Body("server"));
        var (min, max) = (read.Number("min_count", 1, 1000) ?? 1, read.Number("max_count", 1, 1000));
        var count = Math.Max(min, max ?? min);
        if (max < min) throw Fault.BadRequest("min_count must be <= max_count");
        var returnsReservation = read.Flag("return_reservation_id") ?? false;
        var draft = await Read(c, read);
        read.NothingElse();
        var first = default(Server);
        for (var i = 0; i < count; i++)
        {
            var index = i;
            try
            {
                var server = await Servers.Kind.Create(c, "compute:create", Nothing, ServerSagas.Creation, d =>
                {
                    d.Item = draft with
                    {
                        Id = d.Item.Id, ProjectId = d.Item.ProjectId, CreatedAt = d.Item.CreatedAt, LaunchIndex = index, Name = count > 1 ? $"{draft.Name}-{index + 1}" : draft.Name,
                        Hostname = count > 1 ? $"{draft.Hostname}-{index + 1}" : draft.Hostname, Nics = [.. draft.Nics.Select(n => n.Made ? n with { PortId = c.Services.Ids.New() } : n)],
                    };
                    return ValueTask.CompletedTask;
                });
                first ??= server;
            }
            catch (Fault f) when (f.Status == 403 && i >= min && first is not null) { break; }
        }
        return Answer(c, first!, draft, returnsReservation);
    }

    private static async ValueTask<Server> Read(Call c, BodyReader read)
    {
        var name = read.Required("name", 255).Trim();
        if (name.Length == 0) throw Fault.BadRequest("Invalid input for field/attribute name: it must not be empty.");
        var flavor = (await Flavors.Find(c, read.Required("flavorRef", 255))) ?? throw Fault.BadRequest("Invalid flavorRef provided.");
        var volumes = Volumes(c, read);
        var image = read.Text("imageRef", 255) is { Length: > 0 } id ? await Image.Facade.ForBoot(c, id) : null;
        if (image is null && volumes.Count == 0) throw Fault.BadRequest("Block Device Mapping is Invalid: You specified more local devices than the limit allows, or neither an image nor a boot volume was given.");
        if (image is not null)
        {
            if (image.MinRam > flavor.Ram) throw Fault.BadRequest("Flavor's memory is too small for requested image.");
            if (flavor.Disk > 0 && (image.MinDisk > flavor.Disk || image.VirtualBytes > (long)flavor.Disk << 30)) throw Fault.BadRequest("Flavor's disk is too small for requested image.");
        }
        foreach (var v in volumes) await BlockStorage.Facade.Check(c, v.VolumeId, null);
        var key = read.Text("key_name", 255) is { } keyName ? await Keypairs.Get(c, keyName) ?? throw Fault.BadRequest("Invalid key_name provided.") : null;
        var userData = read.Text("user_data", 65535);
        if (userData is not null && !Convert.TryFromBase64String(userData, new byte[userData.Length], out _)) throw Fault.BadRequest("Invalid input for field/attribute user_data: it must be base64.");
        var groups = read.List("security_groups", 16).Select(g => new BodyReader(g).Required("name", 255)).ToList();
        var nics = await Nics(c, read);
        read.Get("personality");
        read.Get("block_device_mapping");
        read.Get("trusted_image_certificates");
        var (zone, host) = Zone(c, read.Text("availability_zone", 255), read.Text("host", 255) ?? read.Text("hypervisor_hostname", 255));
        read.Text("hypervisor_hostname", 255);
        var metadata = read.Map("metadata");
        if (metadata.Count > 128) throw ComputeDialect.Over("metadata_items", metadata.Count, 0, 128);
        var tags = read.List("tags", 50).Select(t => t.ValueKind == JsonValueKind.String && t.GetString() is { Length: > 0 and <= 60 } s && !s.Contains('/', StringComparison.Ordinal) && !s.Contains(',', StringComparison.Ordinal) ? s : throw Fault.BadRequest("Invalid tag.")).Distinct().ToArray();
        return new()
        {
            Name = name, Description = read.Text("description", 255), UserId = c.Caller.UserId, ImageId = image?.Id, Flavor = new(flavor.Id, flavor.Name, flavor.Vcpus, flavor.Ram, flavor.Disk, flavor.ExtraSpecs),
            Hostname = read.Text("hostname", 63) is { } h ? CheckedHostname(h) : HostnameOf(name), KeyName = key?.Name, PublicKey = key?.PublicKey, UserData = userData, Metadata = metadata, Tags = tags,
            AdminPass = read.Text("adminPass", 255) ?? Convert.ToBase64String(RandomNumberGenerator.GetBytes(9)), Groups = groups.Count == 0 ? null : [.. await Network.Facade.Groups(c, groups)],
            ConfigDrive = read.Flag("config_drive") ?? false, ReservationId = "r-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)), Zone = zone, WantedHost = host,
            DiskConfig = read.Text("OS-DCF:diskConfig", 10) ?? "MANUAL", AccessIPv4 = read.Text("accessIPv4", 45) ?? "", AccessIPv6 = read.Text("accessIPv6", 45) ?? "", Nics = nics, Volumes = [.. volumes],
        };
    }

    private static List<VolumeOf> Volumes(Call c, BodyReader read)
    {
        var volumes = new List<VolumeOf>();
        foreach (var e in read.List("block_device_mapping_v2", 25))
        {
            var r = new BodyReader(e);
            var (source, target, boot) = (r.Text("source_type", 20), r.Text("destination_type", 20), r.Number("boot_index", -1, 100));
            // The image itself as first disk says nothing that imageRef doesn't.
            if (source == "image" && target is null or "local") continue;
            if (source != "volume") throw Fault.BadRequest($"Block Device Mapping is Invalid: source_type {source} to destination_type {target} is not offered; make the volume first.");
            volumes.Add(new(r.Required("uuid", 255), boot == 0 ? "vda" : r.Text("device_name", 64)?.Replace("/dev/", "", StringComparison.Ordinal) ?? "", r.Flag("delete_on_termination") ?? false));
        }
        _ = c;
        var used = volumes.Select(v => v.Device).ToHashSet();
        var next = 'b';
        for (var i = 0; i < volumes.Count; i++)
        {
            if (volumes[i].Device.Length > 0) continue;
            while (!used.Add("vd" + next)) next++;
            volumes[i] = volumes[i] with { Device = "vd" + next };
        }
        return volumes;
    }

    private static async ValueTask<NicOf[]> Nics(Call c, BodyReader read)
    {
        if (read.Get("networks") is not { } networks || networks.ValueKind == JsonValueKind.String && networks.GetString() == "auto")
        {
            if (read.Get("networks") is null && c.From(37)) throw Fault.BadRequest("Invalid input for field/attribute server. 'networks' is a required property");
            var usable = await Network.Facade.Usable(c);
            return usable.Count switch { 0 => [], 1 => [new("", usable[0], null, true)], _ => throw Fault.Conflict("Multiple possible networks found, use a Network ID to be more specific.") };
        }
        if (networks.ValueKind == JsonValueKind.String) return networks.GetString() == "none" ? [] : throw Fault.BadRequest("Invalid input for field/attribute networks.");
        var nics = new List<NicOf>();
        foreach (var e in read.List("networks", 16))
        {
            var r = new BodyReader(e);
            var (port, network, address) = (r.Text("port", 255), r.Text("uuid", 255), r.Text("fixed_ip", 45));
            r.Text("tag", 60);
            r.NothingElse();
            if (port is null && network is null) throw Fault.BadRequest("Invalid input for field/attribute networks: a network or a port must be named.");
            nics.Add(new(port ?? "", port is null ? network : null, address, port is null));
        }
        await Network.Facade.Check(c, nics.Select(n => new Network.Facade.Wish(n.Made ? null : n.PortId, n.NetworkId, n.FixedIp)));
        return [.. nics];
    }

    private static (string Zone, string? Host) Zone(Call c, string? zone, string? host)
    {
        if (zone?.IndexOf(':', StringComparison.Ordinal) is > 0 and var at)
        {
            c.Require("admin", default);
            return (zone[..at], zone[(at + 1)..].TrimEnd(':'));
        }
        if (host is not null) c.Require("admin", default);
        return (zone ?? "", host);
    }

    private static string CheckedHostname(string name) =>
        name.Length > 0 && name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch == '-') && name[0] != '-' && name[^1] != '-' ? name.ToLowerInvariant() : throw Fault.BadRequest("Invalid input for field/attribute hostname.");

    internal static string HostnameOf(string name)
    {
        var clean = string.Concat(name.ToLowerInvariant().Select(ch => char.IsAsciiLetterOrDigit(ch) || ch == '-' ? ch : ch is ' ' or '_' or '.' ? '-' : '\0').Where(ch => ch != '\0')).Trim('-');
        return clean.Length == 0 ? "server" : clean.Length > 63 ? clean[..63].TrimEnd('-') : clean;
    }

    private static Reply Answer(Call c, Server s, Server draft, bool reservation) => Reply.Of(202, w =>
    {
        w.WriteStartObject();
        if (reservation) w.WriteString("reservation_id", draft.ReservationId);
        else
        {
            w.WriteStartObject("server");
            w.WriteString("id", s.Id);
            ComputeDialect.Links(w, c, "servers", s.Id);
            w.WriteString("OS-DCF:diskConfig", s.DiskConfig);
            w.WriteStartArray("security_groups");
            w.WriteStartObject();
            w.WriteString("name", "default");
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteString("adminPass", s.AdminPass);
            w.WriteEndObject();
        }
        w.WriteEndObject();
    }).With("Location", $"{c.BaseUrl}/v2.1/servers/{s.Id}");
}
