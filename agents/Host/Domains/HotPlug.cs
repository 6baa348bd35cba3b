using System.Xml.Linq;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Domains;

/// <summary>What to unplug from a running guest and what to plug in, so that it has exactly the devices it should have.</summary>
/// <param name="Unplug">Elements of the guest's own XML.</param>
/// <param name="Plug">Elements to add.</param>
public sealed record HotPlug(IReadOnlyList<string> Unplug, IReadOnlyList<string> Plug)
{
    public static HotPlug Between(string liveXml, DomainSpec spec, DomainDocument document)
    {
        var devices = XElement.Parse(liveXml).Element("devices");
        var live = (devices?.Elements() ?? []).Select(e => (Element: e, Id: Identity(e))).Where(d => d.Id is not null).ToList();
        var wished = spec.Disks.Select(document.Disk).Concat(spec.Nics.Select(DomainDocument.Nic)).Select(xml => (Xml: xml, Id: Identity(XElement.Parse(xml)))).ToList();
        return new HotPlug(
            [.. live.Where(l => wished.All(w => w.Id != l.Id)).Select(l => l.Element.ToString())],
            [.. wished.Where(w => live.All(l => l.Id != w.Id)).Select(w => w.Xml)]);
    }

    /// <summary>Whether the guest still has a device that <see cref="Unplug"/> named.</summary>
    public static bool Has(string liveXml, string device)
    {
        var wanted = Identity(XElement.Parse(device));
        return XElement.Parse(liveXml).Element("devices")?.Elements().Any(e => Identity(e) == wanted) ?? false;
    }

    /// <summary>Device name in the guest (vda) of the disk in this file; null when the domain doesn't have it.</summary>
    public static string? DeviceOf(string xml, string file) => XElement.Parse(xml).Element("devices")?.Elements("disk")
        .FirstOrDefault(d => d.Element("source")?.Attribute("file")?.Value == file)?.Element("target")?.Attribute("dev")?.Value;

    private static string? Identity(XElement device) => device.Name.LocalName switch
    {
        "disk" when device.Attribute("device")?.Value == "disk" =>
            $"disk {device.Element("target")?.Attribute("dev")?.Value} {device.Element("source")?.Attribute("file")?.Value}",
        "interface" => $"nic {device.Element("mac")?.Attribute("address")?.Value} {device.Element("target")?.Attribute("dev")?.Value}",
        _ => null,
    };
}
