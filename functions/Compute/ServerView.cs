using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>A server as Nova's clients know it, by microversion.</summary>
public static class ServerView
{
    public static string VmState(Server s) => s.Status switch { "BUILD" => "building", "ACTIVE" or "REBOOT" or "HARD_REBOOT" => "active", "SHUTOFF" => "stopped", "PAUSED" => "paused", _ => "error" };

    private static int Power(Server s) => s.Status switch { "ACTIVE" or "REBOOT" or "HARD_REBOOT" => 1, "PAUSED" => 3, "SHUTOFF" => 4, _ => 0 };

    public static void Write(Utf8JsonWriter w, Call c, Server s, IEnumerable<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, bool detail, bool show = false)
    {
        w.WriteStartObject();
        w.WriteString("id", s.Id);
        w.WriteString("name", s.Name);
        ComputeDialect.Links(w, c, "servers", s.Id);
        if (detail) Detail(w, c, s, nics, show);
        w.WriteEndObject();
    }

    private static void Detail(Utf8JsonWriter w, Call c, Server s, IEnumerable<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, bool show)
    {
        var time = ComputeDialect.Value.Time;
        var admin = c.Caller.Has("admin");
        w.WriteString("status", s.Status);
        w.WriteString("tenant_id", s.ProjectId);
        w.WriteString("user_id", s.UserId);
        w.WriteStartObject("metadata");
        foreach (var (k, v) in s.Metadata) w.WriteString(k, v);
        w.WriteEndObject();
        w.WriteString("hostId", s.Host.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(s.ProjectId + s.Host)).AsSpan(0, 28)));
        if (s.ImageId is null) w.WriteString("image", "");
        else
        {
            w.WriteStartObject("image");
            w.WriteString("id", s.ImageId);
            ComputeDialect.Links(w, c, "images", s.ImageId);
            w.WriteEndObject();
        }
        Flavor(w, c, s.Flavor);
        w.WriteString("created", time(s.CreatedAt));
        w.WriteString("updated", time(s.UpdatedAt ?? s.CreatedAt));
        Addresses(w, nics);
        w.WriteString("accessIPv4", s.AccessIPv4);
        w.WriteString("accessIPv6", s.AccessIPv6);
        w.WriteString("OS-DCF:diskConfig", s.DiskConfig);
        if (s.Status is "ACTIVE" or "BUILD" or "REBOOT" or "HARD_REBOOT") w.WriteNumber("progress", 0);
        w.WriteString("OS-EXT-AZ:availability_zone", s.Zone);
        w.WriteString("config_drive", s.ConfigDrive ? "True" : "");
        w.WriteString("key_name", s.KeyName);
        if (s.LaunchedAt is { } launched) w.WriteString("OS-SRV-USG:launched_at", launched.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.000000", null)); else w.WriteNull("OS-SRV-USG:launched_at");
        w.WriteNull("OS-SRV-USG:terminated_at");
        w.WriteString("OS-EXT-STS:task_state", s.Task);
        w.WriteString("OS-EXT-STS:vm_state", VmState(s));
        w.WriteNumber("OS-EXT-STS:power_state", Power(s));
        w.WriteStartArray("os-extended-volumes:volumes_attached");
        foreach (var v in s.Volumes.Where(v => v.State == "attached"))
        {
            w.WriteStartObject();
            w.WriteString("id", v.VolumeId);
            if (c.From(3)) w.WriteBoolean("delete_on_termination", v.DeleteOnTermination);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        if (admin)
        {
            w.WriteString("OS-EXT-SRV-ATTR:host", s.Host.Length > 0 ? s.Host : null);
            w.WriteString("OS-EXT-SRV-ATTR:hypervisor_hostname", s.Host.Length > 0 ? s.Host : null);
            w.WriteString("OS-EXT-SRV-ATTR:instance_name", Names.Domain(s.Id));
            if (c.From(3))
            {
                w.WriteString("OS-EXT-SRV-ATTR:reservation_id", s.ReservationId);
                w.WriteNumber("OS-EXT-SRV-ATTR:launch_index", s.LaunchIndex);
                w.WriteString("OS-EXT-SRV-ATTR:kernel_id", "");
                w.WriteString("OS-EXT-SRV-ATTR:ramdisk_id", "");
                w.WriteString("OS-EXT-SRV-ATTR:root_device_name", "/dev/vda");
                w.WriteString("OS-EXT-SRV-ATTR:user_data", s.UserData);
            }
            if (c.From(16)) w.WriteString("host_status", s.Host.Length > 0 ? "UP" : "");
        }
        if (c.From(90) || (admin && c.From(3))) w.WriteString("OS-EXT-SRV-ATTR:hostname", s.Hostname);
        if (s.Status != "ERROR" || s.Fault is null) Groups(w, nics);
        else
        {
            Groups(w, nics);
            w.WriteStartObject("fault");
            w.WriteNumber("code", 500);
            w.WriteString("created", time(s.FaultAt ?? s.CreatedAt));
            w.WriteString("message", s.Fault);
            w.WriteEndObject();
        }
        if (c.From(9)) w.WriteBoolean("locked", s.Locked);
        if (c.From(73)) w.WriteString("locked_reason", s.LockedReason);
        if (c.From(19)) w.WriteString("description", s.Description);
        if (c.From(26)) Strings(w, "tags", s.Tags);
        if (c.From(63)) w.WriteNull("trusted_image_certificates");
        if (c.From(71) && show) Strings(w, "server_groups", []);
    }

    private static void Flavor(Utf8JsonWriter w, Call c, FlavorOf f)
    {
        w.WriteStartObject("flavor");
        if (c.From(47))
        {
            w.WriteNumber("vcpus", f.Vcpus);
            w.WriteNumber("ram", f.Ram);
            w.WriteNumber("disk", f.Disk);
            w.WriteNumber("ephemeral", 0);
            w.WriteNumber("swap", 0);
            w.WriteString("original_name", f.Name);
            w.WriteStartObject("extra_specs");
            foreach (var (k, v) in f.ExtraSpecs) w.WriteString(k, v);
            w.WriteEndObject();
        }
        else
        {
            w.WriteString("id", f.Id);
            ComputeDialect.Links(w, c, "flavors", f.Id);
        }
        w.WriteEndObject();
    }

    public static void Addresses(Utf8JsonWriter w, IEnumerable<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics)
    {
        w.WriteStartObject("addresses");
        foreach (var network in nics.GroupBy(n => n.Nic.NetworkName))
        {
            w.WriteStartArray(network.Key);
            foreach (var (nic, floating, _) in network)
            {
                foreach (var (address, _) in nic.Addresses) Address(w, address, "fixed", nic.Mac);
                foreach (var address in floating) Address(w, address, "floating", nic.Mac);
            }
            w.WriteEndArray();
        }
        w.WriteEndObject();
    }

    private static void Address(Utf8JsonWriter w, string address, string type, string mac)
    {
        w.WriteStartObject();
        w.WriteNumber("version", address.Contains(':', StringComparison.Ordinal) ? 6 : 4);
        w.WriteString("addr", address);
        w.WriteString("OS-EXT-IPS:type", type);
        w.WriteString("OS-EXT-IPS-MAC:mac_addr", mac);
        w.WriteEndObject();
    }

    private static void Groups(Utf8JsonWriter w, IEnumerable<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics)
    {
        var groups = nics.SelectMany(n => n.Groups).Distinct().ToList();
        if (groups.Count == 0) return;
        w.WriteStartArray("security_groups");
        foreach (var g in groups)
        {
            w.WriteStartObject();
            w.WriteString("name", g);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    private static void Strings(Utf8JsonWriter w, string name, IEnumerable<string> values)
    {
        w.WriteStartArray(name);
        foreach (var v in values) w.WriteStringValue(v);
        w.WriteEndArray();
    }
}
