using System.Xml;
using System.Xml.Linq;

namespace Cloud.Agents.Sidecar;

/// <summary>Attaches and detaches devices, so that a repeated call finishes what an interrupted one began.</summary>
internal static class Devices
{
    private const uint Live = 1, Config = 2;

    /// <summary>Plugs the device in where it is missing: in the running guest, in the definition, or both.</summary>
    internal static void Attach(ConnectHandle connect, DomainHandle domain, string xml)
    {
        var (live, config) = Where(connect, domain, Parse(xml), here: false);
        if ((live | config) != 0) Domains.Check(connect, Native.virDomainAttachDeviceFlags(domain, xml, live | config));
    }

    /// <summary>Takes the device out of the definition and asks the running guest to let it go; libvirt waits some seconds for that.</summary>
    /// <exception cref="LibvirtException">It is in neither.</exception>
    internal static void Detach(ConnectHandle connect, DomainHandle domain, string xml)
    {
        var (live, config) = Where(connect, domain, Parse(xml), here: true);
        if ((live | config) == 0) throw new LibvirtException(Errors.DeviceMissing, "the domain has no such device");
        if (Native.virDomainDetachDeviceFlags(domain, xml, live | config) >= 0) return;
        var error = Errors.Last(connect);
        // The guest was asked before and has not answered yet; qemu gives this no number of its own.
        if (!error.Message.Contains("already in the process of unplug", StringComparison.Ordinal)) throw error;
    }

    /// <summary>Where there is something to do; where that can't be told, libvirt is left to judge.</summary>
    private static (uint Live, uint Config) Where(ConnectHandle connect, DomainHandle domain, XElement device, bool here)
    {
        bool Applies(bool inactive) => (Contains(Parse(Domains.Xml(connect, domain, inactive)), device) ?? here) == here;
        return (Domains.IsActive(connect, domain) && Applies(inactive: false) ? Live : 0,
            Domains.IsPersistent(connect, domain) && Applies(inactive: true) ? Config : 0);
    }

    /// <summary>
    /// Whether a domain has the device: a disk of the same target (and source, if one is given), an interface of the
    /// same MAC address, anything else of the same alias. Null: the device says too little to tell.
    /// </summary>
    internal static bool? Contains(XElement domain, XElement device) => Identity(device) is { } wanted
        ? domain.Element("devices")?.Elements(device.Name).Any(e => Identity(e) == wanted && SameSource(e, device)) ?? false
        : null;

    private static string? Identity(XElement device) => device.Name.LocalName switch
    {
        "disk" => Value(device, "target", "dev"),
        "interface" => Value(device, "mac", "address")?.ToLowerInvariant(),
        _ => Value(device, "alias", "name"),
    };

    private static bool SameSource(XElement present, XElement wanted) =>
        wanted.Name != "disk" || wanted.Element("source") is not { } source
        || source.Attributes().All(a => Value(present, "source", a.Name.LocalName) == a.Value);

    private static string? Value(XElement device, string element, string attribute) => device.Element(element)?.Attribute(attribute)?.Value;

    /// <summary>Without DTDs, so without entities.</summary>
    /// <exception cref="LibvirtException">Not well-formed: an invalid argument.</exception>
    internal static XElement Parse(string xml)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            return XElement.Load(reader);
        }
        catch (XmlException e)
        {
            throw new LibvirtException(Errors.InvalidArgument, $"not well-formed XML: {e.Message}");
        }
    }
}
