using Cloud.Agents.Sidecar;
using Xunit;

namespace Cloud.Tests.Unit.Sidecar;

public class DevicesTests
{
    private const string Domain = """
        <domain><devices>
          <disk type='file' device='disk'><source file='/d/one' index='1'/><target dev='vda' bus='virtio'/></disk>
          <interface type='ethernet'><mac address='52:54:00:aa:bb:01'/></interface>
          <rng model='virtio'><alias name='ua-rng'/></rng>
        </devices></domain>
        """;

    [Theory]
    [InlineData("<disk><source file='/d/one'/><target dev='vda' bus='virtio'/></disk>", true)]
    [InlineData("<disk><target dev='vda'/></disk>", true)]
    [InlineData("<disk><source file='/d/two'/><target dev='vda'/></disk>", false)]
    [InlineData("<disk><source file='/d/one'/><target dev='vdb'/></disk>", false)]
    [InlineData("<interface><mac address='52:54:00:AA:BB:01'/></interface>", true)]
    [InlineData("<interface><mac address='52:54:00:aa:bb:02'/></interface>", false)]
    [InlineData("<rng><alias name='ua-rng'/></rng>", true)]
    [InlineData("<rng model='virtio'/>", null)]
    public void Recognizes_a_device(string device, bool? found) =>
        Assert.Equal(found, Devices.Contains(Devices.Parse(Domain), Devices.Parse(device)));

    [Theory]
    [InlineData("<domain")]
    [InlineData("")]
    [InlineData("<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><d>&e;</d>")]
    public void Refuses_what_is_not_plain_xml(string xml) =>
        Assert.Equal(Errors.InvalidArgument, Assert.Throws<LibvirtException>(() => Devices.Parse(xml)).Code);
}
