using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Metering;

/// <summary>
/// Bytes through floating IPs, out of what hosts counted. Hosts send sums, and how far a sum was taken is written with the amount it gave: a sample that
/// comes twice, late or never changes no total.
/// </summary>
public static class Traffic
{
    public const string In = "floatingip-traffic.in", Out = "floatingip-traffic.out";
    private const string Addresses = "traffic", Prefix = "cloud.serverless.network.floatingip.";
    private const int MostHosts = 16;
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(60);

    /// <summary>What is known of a floating IP, for a while also after its end.</summary>
    /// <param name="Hosts">Those that carried it, the newest first: nobody else may count for it.</param>
    private sealed record Carried(string Project, string[] Hosts, DateTimeOffset? Gone = null);

    /// <summary>How far the sums of one stay at a router were taken.</summary>
    private sealed record Mark(long In, long Out, DateTimeOffset At);

    /// <summary>Remembers whose an address is and which host carries it.</summary>
    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (!e.Type.StartsWith(Prefix, StringComparison.Ordinal)) return;
        var row = await s.Store.Get(Addresses, e.Subject, ct);
        var was = row is null ? new(e.ProjectId, []) : Json.Read<Carried>(row.Body);
        var after = e.Data.GetProperty("after");
        var now = after.ValueKind != System.Text.Json.JsonValueKind.Object ? was with { Gone = e.Time }
            : after.GetProperty("RouterId").GetString() is { } router && await Network.Facade.HostOf(s, router, ct) is { Length: > 0 } host ? was with { Hosts = [.. was.Hosts.Where(h => h != host).Prepend(host).Take(MostHosts)] }
            : was;
        // Of one resource one event after the other: nobody else writes this row.
        await s.Store.Commit(Addresses, [new Op.Upsert(e.Subject, Json.Write(now))], ct: ct);
    }

    public static async Task OnSamples(Services s, Samples samples, CancellationToken ct)
    {
        foreach (var sample in samples.Traffic.Take(Samples.Most))
            if (sample is { BytesIn: >= 0, BytesOut: >= 0, Epoch.Length: > 0 and <= 32 } && await s.Store.Get(Addresses, Keys.Safe(sample.FloatingIpId), ct) is { } row
                && Json.Read<Carried>(row.Body) is var address && address.Hosts.Contains(samples.Host))
                await Take(s, address.Project, samples, sample, ct);
    }

    private static async Task Take(Services s, string project, Samples from, TrafficSample sample, CancellationToken ct)
    {
        var (partition, key) = (Accounts.PartitionOf(project), $"traffic|{Keys.Safe(sample.FloatingIpId)}|{Keys.Safe(from.Host)}|{Keys.Safe(sample.Epoch)}");
        while (true)
        {
            var row = await s.Store.Get(partition, key, ct);
            var mark = row is null ? new(0, 0, default) : Json.Read<Mark>(row.Body);
            var next = new Mark(Math.Max(mark.In, sample.BytesIn), Math.Max(mark.Out, sample.BytesOut), from.At < s.Now ? from.At : s.Now);
            Counted[] counted =
            [
                .. new[] { (Meter: In, Begin: mark.In, End: next.In), (Meter: Out, Begin: mark.Out, End: next.Out) }.Where(x => x.End > x.Begin)
                    .Select(x => new Counted($"{sample.FloatingIpId}.{x.Meter}.{from.Host}.{sample.Epoch}.{x.Begin}", project, "floatingip|" + sample.FloatingIpId, x.Meter, x.End - x.Begin, next.At)),
            ];
            if (counted.Length == 0 || await Consumption.Add(s, project, counted, [row is null ? new Op.Insert(key, Json.Write(next)) : new Op.Replace(key, Json.Write(next), row.ETag)], ct)) return;
        }
    }

    /// <summary>Forgets addresses that have been gone for long, and how far they were read.</summary>
    public static async Task Forget(Services s, CancellationToken ct)
    {
        foreach (var row in await s.Store.List(Addresses, "", char.MaxValue.ToString(), ct: ct))
        {
            var address = Json.Read<Carried>(row.Body);
            if (address.Gone is not { } gone || gone > s.Now - Remembered) continue;
            var (first, end) = Keys.Range($"traffic|{row.Key}|");
            foreach (var mark in await s.Store.List(Accounts.PartitionOf(address.Project), first, end, ct: ct)) await s.Store.Commit(Accounts.PartitionOf(address.Project), [new Op.Delete(mark.Key, mark.ETag)], ct: ct);
            await s.Store.Commit(Addresses, [new Op.Delete(row.Key, row.ETag)], ct: ct);
        }
    }
}
