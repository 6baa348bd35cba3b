using System.Diagnostics;
using System.Text.Json;
using Cloud.Metering;
using Cloud.Platform.Local;
using Cloud.Platform.State;

namespace Cloud.Bench;

/// <summary>Ten thousand resources in the ledger of a stopped cloud, as their events would have left them, and what their bill costs then.</summary>
public static class Bills
{
    public const int Resources = 10_000;
    private const string Prices = """
        {"currency":"EUR","prices":[{"meter":"server.*","unit":"hour","free_per_month":100,"tiers":[{"to":100000,"price":"0.01"},{"price":"0.008"}]},{"meter":"volume.gib","unit":"GiB-hour","price":"0.0001"},{"meter":"floatingip","unit":"hour","price":"0.004"},{"meter":"floatingip-idle","unit":"hour","price":"0.004"}],"valid_from":"FROM"}
        """;

    /// <summary>Half of them go on, half have ended; each has been through a change.</summary>
    public static async Task Seed(string data, string project)
    {
        using var state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        var (now, partition) = (DateTimeOffset.UtcNow, "metering." + project);
        var begin = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        await state.Store.Commit("metering", [new Op.Upsert(project, ReadOnlyMemory<byte>.Empty)]);
        foreach (var some in Enumerable.Range(0, Resources).Chunk(30))
            await state.Store.Commit(partition, [.. some.SelectMany(i =>
            {
                var (kind, meter) = (i % 3) switch { 0 => ("server", "server.m1.tiny"), 1 => ("volume", "volume.gib"), _ => ("floatingip", "floatingip") };
                var (id, at, change) = ($"{kind}|bench-{i}", begin.AddMilliseconds(i), begin + (now - begin) / 2);
                var closed = new Interval(meter, 1, at, change, "opened", "changed", true);
                var account = new Account { Revision = 2, At = change, Open = [new(meter, 2, change, "changed")] };
                Op first = new Op.Insert($"interval|{change.ToUnixTimeMilliseconds():D15}|{i:D6}", Json.Write(new Entry($"bench-{i}.{meter}.{at.ToUnixTimeMilliseconds()}", project, id, closed)));
                Op second = i % 2 == 0 ? new Op.Insert($"live|{at.ToUnixTimeMilliseconds():D15}|{Keys.Safe(id)}", Json.Write(account))
                    : new Op.Insert($"interval|{now.ToUnixTimeMilliseconds():D15}|{i:D6}", Json.Write(new Entry($"bench-{i}.{meter}.{change.ToUnixTimeMilliseconds()}", project, id, new(meter, 2, change, now, "changed", "ended", true))));
                return (Op[])[first, second];
            })]);
    }

    /// <summary>How long the month's invoice takes, reading and answering included, and how many items it has.</summary>
    public static async Task<(double Seconds, int Items)> Rate(Client client)
    {
        var now = DateTimeOffset.UtcNow;
        var made = await client.Post("/billing/v1/prices", System.Text.Json.Nodes.JsonNode.Parse(Prices.Replace("FROM", $"{now.Year}-{now.Month:D2}-01T00:00:00Z", StringComparison.Ordinal))!);
        made.Must("prices");
        var items = 0;
        var best = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var began = Stopwatch.GetTimestamp();
            items = (int)(await client.Get($"/billing/v1/invoices/{now.Year}-{now.Month:D2}")).Must("invoice").Json["items"]!;
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
        return (best, items);
    }
}
