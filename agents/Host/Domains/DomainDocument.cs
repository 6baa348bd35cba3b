using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Domains;

/// <summary>libvirt's XML of a guest. Ids and numbers only: a tenant's text has no place in it.</summary>
public sealed class DomainDocument(HostOptions options, bool kvm)
{
    public string Disk(DiskSpec disk) => Write(w => Disk(w, disk, boot: false));

    public static string Nic(NicSpec nic) => Write(w => Nic(w, nic));

    public string DiskFile(string diskId) => Path.Combine(options.Disks, Ids.Check(diskId) + ".qcow2");

    public string ConsoleFile(string serverId) => Path.Combine(options.Consoles, Ids.Check(serverId) + ".log");

    public string ConfigDriveFile(string serverId) => Path.Combine(options.ConfigDrives, Ids.Check(serverId) + ".iso");

    /// <summary>libvirt's id of the guest: the server's id where that is a UUID, else one made of it.</summary>
    public static string Uuid(string serverId) =>
        (Guid.TryParseExact(serverId, "D", out var uuid) ? uuid : new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(serverId)).AsSpan(0, 16))).ToString();

    public string Domain(DomainSpec spec) => Write(w =>
    {
        w.WriteStartElement("domain");
        w.WriteAttributeString("type", kvm ? "kvm" : "qemu");
        w.WriteElementString("name", Names.Domain(spec.ServerId));
        w.WriteElementString("uuid", Uuid(spec.ServerId));
        Element(w, "memory", Text(spec.MemoryMiB), ("unit", "MiB"));
        w.WriteElementString("vcpu", Text(spec.Vcpus));
        Machine(w, spec);
        w.WriteElementString("on_poweroff", "destroy");
        w.WriteElementString("on_reboot", "restart");
        w.WriteElementString("on_crash", "destroy");
        w.WriteStartElement("devices");
        for (var i = 0; i < spec.Disks.Length; i++)
            Disk(w, spec.Disks[i], boot: i == 0);
        if (spec.ConfigDrive)
            ConfigDrive(w, spec.ServerId);
        foreach (var nic in spec.Nics)
            Nic(w, nic);
        Element(w, "controller", null, ("type", "usb"), ("model", "none"));
        Serial(w, spec.ServerId);
        Element(w, "memballoon", null, ("model", "virtio"));
        w.WriteStartElement("rng");
        w.WriteAttributeString("model", "virtio");
        Element(w, "backend", "/dev/urandom", ("model", "random"));
        w.WriteEndElement();
        w.WriteEndElement();
        if (!kvm)
            AskLess(w);
        w.WriteEndElement();
    });

    // Before a guest's first instruction libvirt asks qemu for each of the processor's features, one by one: a second for some three hundred
    // that nothing reads, since a guest without KVM has whatever qemu can do. What says that qemu can be asked so is taken away.
    private static void AskLess(XmlWriter w)
    {
        const string Qemu = "http://libvirt.org/schemas/domain/qemu/1.0";
        w.WriteStartElement("qemu", "capabilities", Qemu);
        w.WriteStartElement("qemu", "del", Qemu);
        w.WriteAttributeString("capability", "cpu-unavailable-features");
        w.WriteEndElement();
        w.WriteEndElement();
    }

    private void Machine(XmlWriter w, DomainSpec spec)
    {
        w.WriteStartElement("os");
        Element(w, "type", "hvm", ("arch", "x86_64"), ("machine", "pc"));
        Element(w, "smbios", null, ("mode", "sysinfo"));
        w.WriteEndElement();

        // cloud-init knows by these that it runs on such a cloud.
        w.WriteStartElement("sysinfo");
        w.WriteAttributeString("type", "smbios");
        w.WriteStartElement("system");
        Element(w, "entry", "OpenStack Foundation", ("name", "manufacturer"));
        Element(w, "entry", "OpenStack Nova", ("name", "product"));
        Element(w, "entry", Uuid(spec.ServerId), ("name", "serial"));
        Element(w, "entry", Uuid(spec.ServerId), ("name", "uuid"));
        Element(w, "entry", "Virtual Machine", ("name", "family"));
        w.WriteEndElement();
        w.WriteEndElement();

        w.WriteStartElement("features");
        w.WriteElementString("acpi", null);
        w.WriteElementString("apic", null);
        if (!kvm)
        {
            // Halves the memory that qemu takes beside the guest's own.
            w.WriteStartElement("tcg");
            Element(w, "tb-cache", "32", ("unit", "MiB"));
            w.WriteEndElement();
        }

        w.WriteEndElement();
        Element(w, "cpu", null, ("mode", kvm ? "host-model" : "maximum"));
        Element(w, "clock", null, ("offset", "utc"));
    }

    private void Disk(XmlWriter w, DiskSpec disk, bool boot)
    {
        w.WriteStartElement("disk");
        w.WriteAttributeString("type", "file");
        w.WriteAttributeString("device", "disk");
        Element(w, "driver", null, ("name", "qemu"), ("type", "qcow2"), ("cache", "writeback"), ("discard", "unmap"));
        Element(w, "source", null, ("file", DiskFile(disk.DiskId)));
        Element(w, "target", null, ("dev", disk.Device), ("bus", "virtio"));
        w.WriteElementString("serial", disk.Serial);
        if (boot)
            Element(w, "boot", null, ("order", "1"));
        w.WriteEndElement();
    }

    private void ConfigDrive(XmlWriter w, string serverId)
    {
        w.WriteStartElement("disk");
        w.WriteAttributeString("type", "file");
        w.WriteAttributeString("device", "cdrom");
        Element(w, "driver", null, ("name", "qemu"), ("type", "raw"));
        Element(w, "source", null, ("file", ConfigDriveFile(serverId)));
        Element(w, "target", null, ("dev", "hda"), ("bus", "ide"));
        w.WriteElementString("readonly", null);
        w.WriteEndElement();
    }

    private static void Nic(XmlWriter w, NicSpec nic)
    {
        w.WriteStartElement("interface");
        w.WriteAttributeString("type", "ethernet");
        Element(w, "mac", null, ("address", nic.Mac.ToLowerInvariant()));
        Element(w, "target", null, ("dev", Names.Tap(nic.PortId)), ("managed", "no"));
        Element(w, "model", null, ("type", "virtio"));
        if (nic.Mtu > 0)
            Element(w, "mtu", null, ("size", Text(nic.Mtu)));
        w.WriteEndElement();
    }

    private void Serial(XmlWriter w, string serverId)
    {
        w.WriteStartElement("serial");
        w.WriteAttributeString("type", "file");
        // Appending, so that the file can be cut while qemu has it open.
        Element(w, "source", null, ("path", ConsoleFile(serverId)), ("append", "on"));
        Element(w, "target", null, ("port", "0"));
        w.WriteEndElement();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Element(XmlWriter w, string name, string? text, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        w.WriteStartElement(name);
        foreach (var (attribute, value) in attributes)
            w.WriteAttributeString(attribute, value);
        if (text is not null)
            w.WriteString(text);
        w.WriteEndElement();
    }

    private static string Write(Action<XmlWriter> write)
    {
        var text = new StringBuilder();
        using (var w = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true, Indent = true }))
            write(w);
        return text.ToString();
    }
}
