using System.Text.RegularExpressions;
using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Networks;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>Whatever text stands in a network's or port's specification, the configuration made of it has the lines that it has of an honest one.</summary>
public sealed partial class NetworkTextTests
{
    private static readonly Gen<string> Evil = Gen.OneOf(
        Gen.String, Gen.String[Gen.Char["\n\r\0\t '\";,{}#$\\/%ab1.:"], 0, 20],
        Gen.OneOfConst("10.0.0.5", "fd00::5", "fa:16:3e:00:00:0b", "10.0.0.0/24", "fd00::/64", "vm", "10.0.0.5\naccept", "10.0.0.0/24 } accept\n", "fa:16:3e:00:00:0b\ndrop"));

    [Fact]
    public void No_text_of_a_port_adds_a_line_to_its_rules() => Each(["server", "project", "fa:16:3e:00:00:0b", "10.0.0.5", "fa:16:3e:00:00:0c", "10.0.1.0/24", "10.0.2.0/24", "vm"], t => PortChains.Of(
        new PortSpec("port", t[0], t[1], t[2], [new("s4", t[3])], true, [new(t[4], t[5])], [new(true, false, 6, 22, 22, [t[6]])], t[7]), Mac.Parse("02:00:00:00:00:01")),
        RuleText());

    [Fact]
    public void No_text_of_a_port_adds_a_line_to_its_hosts()
    {
        var network = new NetworkSpec("net", "project", 1, null, 1450, [new("s4", "10.0.0.0/24", null, "10.0.0.2", [], [])], []);
        PortSpec Port(string[] t) => new("port", null, t[0], t[1], [new("s4", t[2])], true, [], [], t[3]);
        string[] honest = ["project", "fa:16:3e:00:00:0b", "10.0.0.5", "vm"];
        Each(honest, t => DhcpFiles.Hosts(network, [Port(t)]), HostLine());
        Each(honest, t => DhcpFiles.Names(network, [Port(t)]), NameLine());
    }

    [Fact]
    public void No_text_of_a_subnet_adds_a_line_to_the_configuration()
    {
        var dnsmasq = new Dnsmasq("/nowhere", new Tool());
        Each(["project", "10.0.0.1", "9.9.9.9", "10.9.0.0/16", "10.0.0.9", "10.0.0.2", "10.0.0.0/24", "slaac"], t => DhcpFiles.Configuration(
            new NetworkSpec("n", t[0], 1, null, 1450, [new("s4", t[6], t[1], t[5], [t[2]], [new(t[3], t[4])], t[7])], []), dnsmasq), ConfigurationText());
    }

    [Fact]
    public void No_text_of_a_router_adds_a_line_to_its_rules()
    {
        var outside = new NetworkSpec("ext", "admin", 0, "public", 1500, [], []);
        Each(["project", "port", "198.51.100.10/24", "198.51.100.50", "10.0.0.5", "id"], t => RouterRules.Of(
            new RouterSpec("r", t[0], true, new ExternalSpec(outside, t[1], "fa:16:3e:00:00:01", [t[2]], [], true), [], [], [new(t[5], t[3], t[4])])), RouterText());
    }

    /// <summary>Any one of the texts may be anything.</summary>
    private static void Each(string[] honest, Func<string[], Script> make, Regex form)
    {
        Assert.Matches(form, make(honest).ToString());
        Gen.Select(Gen.Int[0, honest.Length - 1], Evil).Sample((which, evil) =>
        {
            var texts = honest.ToArray();
            texts[which] = evil;
            return Refused(() => make(texts), out var text) || form.IsMatch(text);
        }, iter: 20_000);
    }

    private static bool Refused(Func<Script> make, out string text)
    {
        text = "";
        try
        {
            text = make().ToString();
            return false;
        }
        catch (HandlerFault)
        {
            return true;
        }
    }

    [GeneratedRegex(@"\A(chain [a-z-]+[0-9a-f]{12} \{\n([a-z0-9 .:@!={},/-]+\n)*\}\n){5}\z")]
    private static partial Regex RuleText();

    [GeneratedRegex(@"\A([0-9a-f:]{17},(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]),[A-Za-z0-9-]+\n)?\z")]
    private static partial Regex HostLine();

    [GeneratedRegex(@"\A[0-9a-f.:]+ [A-Za-z0-9-]+\n\z")]
    private static partial Regex NameLine();

    [GeneratedRegex(@"\A((no-hosts|no-resolv|no-poll|leasefile-ro|bind-interfaces|dhcp-authoritative|expand-hosts|enable-ra|(pid-file|log-facility|user|group|interface|except-interface|dhcp-hostsfile|addn-hosts|domain|local|ra-param|dhcp-range|dhcp-option)=[A-Za-z0-9 .:,/\[\]-]+)\n)+\z")]
    private static partial Regex ConfigurationText();

    [GeneratedRegex("""\A((add|delete) table (inet|ip) cs\n){4}([a-z0-9 .:@!=,{};"_-]+\n){27,29}\z""")]
    private static partial Regex RouterText();
}
