using System.Net;
using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Networks;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class RouterRulesTests
{
    private static readonly NetworkSpec Outside = new("ext", "admin", 0, "public", 1500, [], []);
    private static readonly RouterSpec Router = new("r", "project", true, new ExternalSpec(Outside, "leg", "fa:16:3e:00:00:01", ["2001:db8::1/64", "198.51.100.10/24"], [], true), [], [],
        [new("a", "198.51.100.50", "10.0.0.5"), new("b", "198.51.100.51", "10.0.0.6")]);

    [Fact]
    public void Floating_addresses_are_translated_one_to_one_and_the_rest_to_the_routers_own()
    {
        var text = RouterRules.Of(Router).ToString();
        Assert.Equal("""
            table ip cs {
            map floating {
            type ipv4_addr : ipv4_addr
            elements = { 198.51.100.50 : 10.0.0.5, 198.51.100.51 : 10.0.0.6, }
            }
            map fixed {
            type ipv4_addr : ipv4_addr
            elements = { 10.0.0.5 : 198.51.100.50, 10.0.0.6 : 198.51.100.51, }
            }
            chain prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            iifname != "csic7c8fc91abb8" ip daddr { 198.51.100.50,198.51.100.51 } meta mark set 1
            dnat to ip daddr map @floating
            }
            chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            meta mark 1 snat to ip saddr map @fixed
            meta mark 1 snat to 198.51.100.10
            oifname "csic7c8fc91abb8" snat to ip saddr map @fixed
            oifname "csic7c8fc91abb8" snat to 198.51.100.10
            }
            }

            """, text[text.IndexOf("table ip cs {", StringComparison.Ordinal)..]);
    }

    [Fact]
    public void Without_source_NAT_only_floating_addresses_are_translated() =>
        Assert.DoesNotContain("oifname \"csic7c8fc91abb8\" snat to 198", RouterRules.Of(Router with { External = Router.External! with { Snat = false } }).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Without_an_outside_nothing_is_translated() => Assert.DoesNotContain("nat", RouterRules.Of(Router with { External = null }).ToString(), StringComparison.Ordinal);

    [Fact]
    public void What_is_no_address_gets_nowhere() =>
        Assert.Throws<HandlerFault>(() => RouterRules.Of(Router with { FloatingIps = [new("a", "198.51.100.50 }\n", "10.0.0.5")] }));

    [Fact]
    public void Addresses_and_routes_are_changed_where_they_differ()
    {
        var leg = new Interface("leg", 1500, [], null, null, null, null,
            [new("10.0.0.1", 24, "global"), new("10.0.0.9", 32, "global"), new("fe80::ff:fe00:1", 64, "link", "kernel_ll"), new("fd00::1", 64, "global")]);
        Assert.Equal("addr del 10.0.0.9/32 dev leg\naddr replace 10.0.0.1/24 dev leg\naddr replace fd00::1/64 dev leg nodad\n",
            Addressing.Addresses(leg, "leg", [Addresses.ParseInterface("10.0.0.1/24"), Addresses.ParseInterface("fd00::1/64")]).ToString());

        RouteInfo[] present = [new("default", "10.0.0.254", "leg", "static", "main"), new("10.5.0.0/16", "10.0.0.5", "leg", "static", null), new("10.6.0.6", "10.0.0.6", "leg", "static", null), new("10.0.0.0/24", null, "leg", "kernel", null)];
        Assert.Equal("route del 10.6.0.6/32 dev leg proto static\nroute replace 10.5.0.0/16 via 10.0.0.7 dev leg proto static\n",
            Addressing.Routes(present, [new(new IPNetwork(IPAddress.Any, 0), IPAddress.Parse("10.0.0.254"), "leg"), new(IPNetwork.Parse("10.5.0.0/16"), IPAddress.Parse("10.0.0.7"), "leg")]).ToString());
    }
}
