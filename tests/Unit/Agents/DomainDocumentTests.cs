using System.Xml.Linq;
using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Domains;
using Xunit;

namespace Cloud.Tests.Unit.Agents;

public sealed class DomainDocumentTests
{
    /// <summary>Else each boot waits until libvirt has asked qemu some three hundred questions.</summary>
    [Fact]
    public void Without_kvm_libvirt_does_not_ask_for_the_features_of_the_processor() => Assert.Equal(["cpu-unavailable-features"], TakenAway(kvm: false));

    /// <summary>With it the answers matter: they say what of the model this processor lacks.</summary>
    [Fact]
    public void With_kvm_it_asks() => Assert.Empty(TakenAway(kvm: true));

    private static IEnumerable<string?> TakenAway(bool kvm)
    {
        var document = new DomainDocument(new HostOptions { Name = "h", Data = "/nowhere" }, kvm);
        var spec = new DomainSpec("s", "p", "one", 1, 128, [], [], PowerState.Running, new("one", "nova", null, null, [], null));
        return XDocument.Parse(document.Domain(spec)).Descendants(XName.Get("del", "http://libvirt.org/schemas/domain/qemu/1.0")).Select(e => (string?)e.Attribute("capability"));
    }
}
