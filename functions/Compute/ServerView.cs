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

    internal static int Power(Server s) => s.Status switch { "ACTIVE" or "REBOOT" or "HARD_REBOOT" => 1, "PAUSED" => 3, "SHUTOFF" => 4, _ => 0 };

    /// <summary>Tells whether two servers of a project are on one host; the same host looks different to each project.</summary>
    internal static string HostId(Server s) => s.Host.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(s.ProjectId + s.Host)).AsSpan(0, 28));

    /// <param name="show">One alone, with what lists leave out.</param>
    /// <param name="brief">Without what extensions added: the answer of an update before 2.75.</param>
    public static void Write(Utf8JsonWriter w, Call c, Server s, IReadOnlyList<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, bool detail, bool show = false, bool brief = false)
    {
        w.WriteStartObject();
        w.WriteString("id", s.Id);
        w.WriteString("name", s.Name);
        ComputeDialect.Links(w, c, "servers", s.Id);
        if (detail)
        {
            Core(w, c, s, nics, plain: brief);
            if (!brief) Extensions(w, c, s, nics);
            Newer(w, c, s, show);
        }
        w.WriteEndObject();
    }

    private static void Core(Utf8JsonWriter w, Call c, Server s, IReadOnlyList<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, bool plain)
    {
        var time = ComputeDialect.Value.Time;
        w.WriteString("status", s.Status);
        w.WriteString("tenant_id", s.ProjectId);
        w.WriteString("user_id", s.UserId);
        w.Map("metadata", s.Metadata);
        w.WriteString("hostId", HostId(s));
        if (s.ImageId is null) w.WriteString("image", "");
        else w.Object("image", () =>
        {
            w.WriteString("id", s.ImageId);
            w.Links(("bookmark", $"{c.BaseUrl}/images/{s.ImageId}"));
        });
        w.Object("flavor", () => Flavor(w, c, s.Flavor));
        w.WriteString("created", time(s.CreatedAt));
        w.WriteString("updated", time(s.Changed));
        Addresses(w, nics, plain);
        w.WriteString("accessIPv4", s.AccessIPv4);
        w.WriteString("accessIPv6", s.AccessIPv6);
        w.WriteString("OS-DCF:diskConfig", s.DiskConfig);
        if (s.Status is "ACTIVE" or "BUILD") w.WriteNumber("progress", 0);
        if (s.Status != "ERROR" || s.Fault is null) return;
        w.Object("fault", () =>
        {
            w.WriteNumber("code", 500);
            w.WriteString("created", time(s.FaultAt ?? s.CreatedAt));
            w.WriteString("message", s.Fault);
        });
    }

    private static void Extensions(Utf8JsonWriter w, Call c, Server s, IReadOnlyList<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics)
    {
        w.WriteString("OS-EXT-AZ:availability_zone", s.Zone);
        w.WriteString("config_drive", s.ConfigDrive ? "True" : "");
        w.WriteString("key_name", s.KeyName);
        w.WriteString("OS-SRV-USG:launched_at", s.LaunchedAt is { } launched ? ComputeDialect.Micros(launched) : null);
        w.WriteNull("OS-SRV-USG:terminated_at");
        w.WriteString("OS-EXT-STS:task_state", s.Task);
        w.WriteString("OS-EXT-STS:vm_state", VmState(s));
        w.WriteNumber("OS-EXT-STS:power_state", Power(s));
        w.Objects("os-extended-volumes:volumes_attached", s.Volumes.Where(v => v.State == "attached"), v =>
        {
            w.WriteString("id", v.VolumeId);
            if (c.From(3)) w.WriteBoolean("delete_on_termination", v.DeleteOnTermination);
        });
        var groups = nics.SelectMany(n => n.Groups).Distinct().ToList();
        if (groups.Count > 0) w.Objects("security_groups", groups, g => w.WriteString("name", g));
        var admin = c.Allows("compute:see_hosts", default);
        if (admin) ForAdmins(w, c, s);
        if (c.From(90) || (admin && c.From(3))) w.WriteString("OS-EXT-SRV-ATTR:hostname", s.Hostname);
    }

    private static void ForAdmins(Utf8JsonWriter w, Call c, Server s)
    {
        var host = s.Host.Length > 0 ? s.Host : null;
        w.WriteString("OS-EXT-SRV-ATTR:host", host);
        w.WriteString("OS-EXT-SRV-ATTR:hypervisor_hostname", host);
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
        if (c.From(16)) w.WriteString("host_status", host is null ? "" : "UP");
    }

    private static void Newer(Utf8JsonWriter w, Call c, Server s, bool show)
    {
        if (c.From(9)) w.WriteBoolean("locked", s.Locked);
        if (c.From(73)) w.WriteString("locked_reason", s.LockedReason);
        if (c.From(19)) w.WriteString("description", s.Description);
        if (c.From(26)) w.Strings("tags", s.Tags);
        if (c.From(63)) w.WriteNull("trusted_image_certificates");
        if (c.From(71) && show) w.Strings("server_groups", []);
    }

    private static void Flavor(Utf8JsonWriter w, Call c, FlavorOf f)
    {
        if (!c.From(47))
        {
            w.WriteString("id", f.Id);
            w.Links(("bookmark", $"{c.BaseUrl}/flavors/{Uri.EscapeDataString(f.Id)}"));
            return;
        }
        w.WriteNumber("vcpus", f.Vcpus);
        w.WriteNumber("ram", f.Ram);
        w.WriteNumber("disk", f.Disk);
        w.WriteNumber("ephemeral", 0);
        w.WriteNumber("swap", 0);
        w.WriteString("original_name", f.Name);
        w.Map("extra_specs", f.ExtraSpecs);
    }

    public static void Addresses(Utf8JsonWriter w, IReadOnlyList<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, bool plain = true) => w.Object("addresses", () =>
    {
        foreach (var network in nics.GroupBy(n => n.Nic.NetworkName)) OfNetwork(w, network.Key, network, plain);
    });

    /// <param name="plain">Address and version only.</param>
    public static void OfNetwork(Utf8JsonWriter w, string name, IEnumerable<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, bool plain)
    {
        var all = nics.SelectMany(n => n.Nic.Addresses.Select(a => (a.Address, Type: "fixed", n.Nic.Mac)).Concat(n.Floating.Select(a => (Address: a, Type: "floating", n.Nic.Mac))));
        w.Objects(name, all, a =>
        {
            w.WriteNumber("version", a.Address.Contains(':', StringComparison.Ordinal) ? 6 : 4);
            w.WriteString("addr", a.Address);
            if (plain) return;
            w.WriteString("OS-EXT-IPS:type", a.Type);
            w.WriteString("OS-EXT-IPS-MAC:mac_addr", a.Mac);
        });
    }
}
