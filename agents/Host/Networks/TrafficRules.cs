using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;

namespace Cloud.Agents.Host.Networks;

/// <summary>The time that a floating IP is at one router. Its counters bear both names.</summary>
public readonly record struct Stay(string FloatingIpId, string Epoch)
{
    public string Counter(bool inward) => $"f.{FloatingIpId}.{Epoch}.{(inward ? "in" : "out")}";

    /// <returns>Null for a counter of something else.</returns>
    public static (Stay Stay, bool Inward)? Of(string counter) =>
        counter.Split('.') is ["f", var id, var epoch, var way] ? (new(id, epoch), way == "in") : null;
}

/// <summary>
/// Counts in the kernel what passes between floating IPs and the outside, so that nothing is missed while no agent runs. Apart from the other rules of
/// a router, which are replaced with every change: here what counts goes on counting.
/// </summary>
public static class TrafficRules
{
    public const string Table = "cs-traffic";

    /// <summary>Addresses that came get counters, those that went keep theirs until <see cref="Forget"/>: they were not read to the end yet.</summary>
    public static Script Of(RouterSpec router, IReadOnlyDictionary<string, Stay> stays)
    {
        var script = new Script();
        if (router.External is not { } external)
            return script;
        var device = (Word)Names.RouterPort(external.PortId);
        script.Add($"add table ip {Table}");
        foreach (var way in new Word[] { "in", "out" })
            script.Add($"add map ip {Table} {way} {{ type ipv4_addr : counter; }}").Add($"flush map ip {Table} {way}");
        foreach (var f in router.FloatingIps.DistinctBy(f => f.Address))
            foreach (var inward in new[] { true, false })
            {
                var counter = (Word)stays[f.FloatingIpId].Counter(inward);
                script.Add($"add counter ip {Table} {counter}").Add($"add element ip {Table} {(Word)(inward ? "in" : "out")} {{ {Addresses.Parse(f.Address)} : \"{counter}\" }}");
            }
        // Before the address is translated, and after it was.
        return script.Add($$"""
            add chain ip {{Table}} incoming { type filter hook prerouting priority -310; }
            flush chain ip {{Table}} incoming
            add rule ip {{Table}} incoming iifname "{{device}}" counter name ip daddr map @in
            add chain ip {{Table}} outgoing { type filter hook postrouting priority 110; }
            flush chain ip {{Table}} outgoing
            add rule ip {{Table}} outgoing oifname "{{device}}" counter name ip saddr map @out
            """);
    }

    public static Script Forget(IEnumerable<Stay> stays)
    {
        var script = new Script();
        foreach (var stay in stays)
            script.Add($"delete counter ip {Table} {(Word)stay.Counter(true)}").Add($"delete counter ip {Table} {(Word)stay.Counter(false)}");
        return script;
    }

    /// <summary>All that is counted in a router, also what is there no more; nothing when there is no such table.</summary>
    public static async Task<IReadOnlyDictionary<Stay, TrafficSample>> Read(ITool inside, CancellationToken ct)
    {
        var samples = new Dictionary<Stay, TrafficSample>();
        foreach (var (name, bytes) in await Nft.Counters(inside, "ip", Table, ct))
            if (Stay.Of(name) is var (stay, inward))
            {
                var sample = samples.GetValueOrDefault(stay) ?? new(stay.FloatingIpId, stay.Epoch, 0, 0);
                samples[stay] = inward ? sample with { BytesIn = bytes } : sample with { BytesOut = bytes };
            }

        return samples;
    }
}
