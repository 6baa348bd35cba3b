using System.Diagnostics;
using Cloud.Agents.Contract;
using Cloud.Compute;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Local;
using Cloud.Platform.State;

namespace Cloud.Bench;

/// <summary>
/// What it costs to take in what hosts counted of their guests: twelve measures of each, written durably. Not the ledger's cost: bills need none of it but bytes through floating IPs.
/// </summary>
public static class Sampled
{
    private const int Guests = 400, Rounds = 2;

    /// <summary>CPU-ms for one guest's sample, in a stopped cloud's own store.</summary>
    public static async Task<double> CpuMs(string data, string project)
    {
        using var state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        var s = Composition.Services(state.Store, state.Bus, new FileBlobs(Path.Combine(data, "blobs")), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), new Settings(), []);
        var servers = (await Servers.Rows.InProject(state.Store, project)).Take(Guests).ToList();
        // The first makes resources and metrics.
        await Take(0);
        using var own = Process.GetCurrentProcess();
        var before = own.TotalProcessorTime;
        for (var round = 1; round <= Rounds; round++) await Take(round);
        own.Refresh();
        return (own.TotalProcessorTime - before).TotalMilliseconds / (Rounds * servers.Count);

        async Task Take(int round)
        {
            var at = TimeProvider.System.GetUtcNow().AddMinutes(round - Rounds - 1);
            FlowSample Flow(string device, string id) => new(device, id, round * 1_000_000L, round * 500_000L, round * 100L, round * 50L);
            foreach (var some in servers.GroupBy(x => x.Host).SelectMany(h => h.Chunk(Samples.Most)))
                await Telemetry.Api.Slice.OnSamples!(s, new(some[0].Host, at, [.. some.Select(x => new GuestSample(x.Id, 1, round * 60_000_000_000, 65536, 70000, [Flow("vda", x.Id)], [Flow("tap0", x.Id)]))], []), CancellationToken.None);
        }
    }
}
