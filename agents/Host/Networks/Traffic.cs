using System.Collections.Concurrent;
using System.Globalization;
using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Usage;

namespace Cloud.Agents.Host.Networks;

/// <summary>Which floating IPs are counted in which router, and what was counted of those that went.</summary>
public sealed class Traffic(Finals finals, TimeProvider time)
{
    private static readonly IReadOnlyDictionary<string, Stay> Nobody = new Dictionary<string, Stay>();

    /// <summary>By router; read from the kernel for one that an earlier run of this program made.</summary>
    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, Stay>> known = new(StringComparer.Ordinal);

    /// <summary>What the router will count: those that stay keep their counters.</summary>
    /// <param name="fresh">Its namespace is new: there can be none.</param>
    public async Task<IReadOnlyDictionary<string, Stay>> Plan(RouterSpec router, ITool inside, bool fresh, CancellationToken ct)
    {
        var before = fresh ? Nobody : known.TryGetValue(router.RouterId, out var seen) ? seen : await Present(inside, ct);
        var epoch = time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        return router.FloatingIps.DistinctBy(f => f.FloatingIpId)
            .ToDictionary(f => f.FloatingIpId, f => before.TryGetValue(f.FloatingIpId, out var stay) ? stay : new Stay(Ids.Check(f.FloatingIpId), epoch), StringComparer.Ordinal);
    }

    /// <summary>After the rules were made: reads those that went for the last time, and keeps what was read.</summary>
    public async Task Settle(string routerId, IReadOnlyDictionary<string, Stay> now, ITool inside, bool fresh, CancellationToken ct)
    {
        var same = known.TryGetValue(routerId, out var before) && before.Values.All(s => now.ContainsKey(s.FloatingIpId));
        if (!fresh && !same)
        {
            var gone = (await TrafficRules.Read(inside, ct)).Where(c => !now.Values.Contains(c.Key)).ToList();
            finals.Keep(gone.Select(c => c.Value));
            if (gone.Count > 0)
                await Nft.Apply(inside, TrafficRules.Forget(gone.Select(c => c.Key)), ct);
        }

        known[routerId] = now;
    }

    /// <summary>Before a router's namespace goes, and nothing passes it any more.</summary>
    public async Task Close(string routerId, ITool inside, CancellationToken ct)
    {
        finals.Keep((await TrafficRules.Read(inside, ct)).Values);
        known.TryRemove(routerId, out _);
    }

    private static async Task<IReadOnlyDictionary<string, Stay>> Present(ITool inside, CancellationToken ct)
    {
        // A kill may have left one that is at its end beside its successor.
        var stays = new Dictionary<string, Stay>(StringComparer.Ordinal);
        foreach (var stay in (await TrafficRules.Read(inside, ct)).Keys.OrderBy(s => s.Epoch, StringComparer.Ordinal))
            stays[stay.FloatingIpId] = stay;
        return stays;
    }
}
