using Cloud.Agents.Contract;

namespace Cloud.Tests.EndToEnd.Network;

/// <summary>Specifications as the control plane sends them.</summary>
public static class Example
{
    public static readonly RuleSpec[] Egress = [new(false, false, null, null, null, null), new(false, true, null, null, null, null)];
    public static readonly RuleSpec Ping = Ingress(1);

    public static SubnetSpec Subnet { get; } = new("s4", "10.0.0.0/24", "10.0.0.1", "10.0.0.2", ["10.0.0.2"], [new("10.9.0.0/16", "10.0.0.9")]);

    public static SubnetSpec Subnet6(string? mode) => new("s6", "fd00::/64", "fd00::1", "fd00::2", [], [], mode);

    public static NetworkSpec Network(string id = "net-1", params SubnetSpec[] subnets) =>
        new(id, "project", 101, null, 1450, subnets.Length == 0 ? [Subnet] : subnets, []);

    public static NetworkSpec Internet { get; } = new("net-ext", "admin", 0, "public", 1500, [new("sx", "198.51.100.0/24", "198.51.100.1", null, [], [])], []);

    /// <summary>A router at 10.0.0.1 and 198.51.100.10.</summary>
    public static RouterSpec Router(NetworkSpec network, params (string Floating, string Fixed)[] floating) =>
        new("router-1", "project", true, new(Internet, "router-1-ext", Mac(100), ["198.51.100.10/24"], ["198.51.100.1"], true), [new(network, "router-1-in", Mac(101), ["10.0.0.1/24"])], [],
            [.. floating.Select(f => new FloatingIpSpec("id-" + f.Floating.Replace('.', '-'), f.Floating, f.Fixed))]);

    /// <summary>A port at 10.0.0.N with rules that let it speak to all and nobody to it.</summary>
    public static PortSpec Port(int n, params RuleSpec[] rules) =>
        new($"port-{n}", $"server-{n}", "project", Mac(n), [new("s4", $"10.0.0.{n}")], true, [], [.. Egress, .. rules], $"vm{n}");

    public static string Mac(int n) => $"fa:16:3e:00:00:{n:x2}";

    public static RuleSpec Ingress(int protocol, int? port = null, params string[]? remotes) => new(true, false, protocol, port, port, remotes is { Length: 0 } ? null : remotes);
}
