using System.Net;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Linux;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class AddressesTests
{
    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("fd00::1")]
    [InlineData("FD00:0::1")]
    public void Addresses_are_taken(string text) => Assert.Equal(IPAddress.Parse(text), Addresses.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("10.1")]
    [InlineData("010.0.0.1")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("10.0.0.1 ")]
    [InlineData("10.0.0.1\n")]
    [InlineData("fe80::1%eth0")]
    [InlineData("[fd00::1]")]
    [InlineData("[fd00::1]:80")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("10.0.0.0/8")]
    public void What_only_resembles_an_address_is_not(string text) => Assert.Throws<HandlerFault>(() => Addresses.Parse(text));

    [Theory]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("fd00::5/64", "fd00::/64")]
    [InlineData("fd00::5/128", "fd00::5/128")]
    [InlineData("ff::/0", "::/0")]
    public void Bits_behind_a_prefix_are_nothing(string text, string network) => Assert.Equal(IPNetwork.Parse(network), Addresses.ParsePrefix(text));

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("fd00::/129")]
    [InlineData("/8")]
    public void Prefixes_are_strict(string text) => Assert.Throws<HandlerFault>(() => Addresses.ParsePrefix(text));

    [Fact]
    public void Doubles_and_what_lies_within_another_are_merged() => Assert.Equal(
        new[] { "10.0.0.0/8", "11.0.0.1/32", "11.0.0.2/31" }.Select(IPNetwork.Parse),
        Addresses.Merge(new[] { "11.0.0.2/31", "10.0.0.0/24", "11.0.0.1/32", "10.0.0.0/8", "10.255.255.255/32", "11.0.0.1/32", "11.0.0.3/32" }.Select(IPNetwork.Parse)));

    [Theory]
    [InlineData("fa:16:3e:00:00:0B", "fe80::f816:3eff:fe00:b")]
    [InlineData("02:00:00:00:00:01", "fe80::ff:fe00:1")]
    public void A_link_local_address_follows_from_the_MAC(string mac, string address) => Assert.Equal(IPAddress.Parse(address), Mac.Parse(mac).LinkLocal);

    [Theory]
    [InlineData("")]
    [InlineData("fa-16-3e-00-00-0b")]
    [InlineData("fa:16:3e:00:00:0g")]
    [InlineData("fa:16:3e:00:00:0b\n")]
    [InlineData("01:00:5e:00:00:01")]
    [InlineData("00:00:00:00:00:00")]
    public void A_MAC_is_that_of_one_station(string text) => Assert.Throws<HandlerFault>(() => Mac.Parse(text));
}
