using System.Globalization;
using System.Text.Json;

namespace Cloud.Demo.Steps;

/// <summary>Everything above left events, and the events became intervals that can be billed.</summary>
internal static class Usage
{
    private static readonly string[] Wanted = ["compute.server.", "network.floatingip.", "block-storage.volume.", "network.router."];
    private static readonly string[] Meters = ["server.m1.tiny", "floatingip", "volume.gib"];

    internal static async Task Run(Stage s)
    {
        var (alice, admin) = (await s.User.Run("token", "issue", "-f", "value", "-c", "id"), await s.Admin.Run("token", "issue", "-f", "value", "-c", "id"));
        var events = (await s.Cloud.Get(alice, "/events/v1/events?limit=1000", s.Stop)).EnumerateArray().ToList();
        var types = events.GroupBy(e => e.GetProperty("type").GetString()!).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        foreach (var wanted in Wanted)
            if (!types.Any(t => t.Key.StartsWith("cloud.serverless." + wanted, StringComparison.Ordinal))) throw new DemoFault($"events of {wanted}*", string.Join(", ", types.Select(t => t.Key)));
        s.Expect(events.All(e => e.GetProperty("specversion").GetString() == "1.0"), "CloudEvents 1.0 of the tenant's project", $"{events.Count} events of {types.Count} types");
        s.Exhibit("events by type", types.Select(t => $"{t.Count(),4}  {t.Key}"));
        s.Exhibit("one of them as it is, without its data", [Bare(events.First(e => e.GetProperty("type").GetString() == "cloud.serverless.compute.server.created"))]);

        var (usage, images) = (await Sums(s, alice, ""), await Sums(s, admin, "&meter=image.bytes"));
        foreach (var meter in Meters)
            if (!usage.Any(u => Name(u) == meter && Amount(u) > 0)) throw new DemoFault($"usage of {meter}", string.Join(", ", usage.Select(Name)));
        if (!images.Any(u => Amount(u) > 0)) throw new DemoFault("usage of image.bytes", "none");
        s.Exhibit("sums", usage.Concat(images).Select(u => string.Create(CultureInfo.InvariantCulture, $"{Name(u),-24} {Amount(u),18:#,0.000} {u.GetProperty("unit").GetString()}")));

        var intervals = (await s.Cloud.Get(alice, "/metering/v1/intervals?limit=1000", s.Stop)).GetProperty("intervals").EnumerateArray().ToList();
        var byMeter = intervals.GroupBy(Name).ToDictionary(g => g.Key, g => g.ToList());
        s.Exhibit("intervals", intervals.Select(i => $"{Name(i),-24} {i.GetProperty("from").GetString()} - {i.GetProperty("to").GetString() ?? "goes on",-24} x {i.GetProperty("quantity")}"));
        s.Expect(byMeter["server.m1.tiny"].Count == 2 && byMeter["floatingip"].Count == 1 && byMeter["volume.gib"].Count == 1, "an interval for each server, the floating IP and the volume, moves and attachments notwithstanding",
            $"{byMeter["server.m1.tiny"].Count}, {byMeter["floatingip"].Count}, {byMeter["volume.gib"].Count}");
        var opened = events.Select(e => e.GetProperty("id").GetString()).ToHashSet();
        s.Expect(intervals.All(i => opened.Contains(i.GetProperty("opened_by").GetString())), "each interval names the event that opened it", "all are among those events", "one that is not among them");
    }

    private static async Task<List<JsonElement>> Sums(Stage s, string token, string filter) =>
        [.. (await s.Cloud.Get(token, "/metering/v1/usage?from=2020-01-01T00:00:00Z" + filter, s.Stop)).GetProperty("usage").EnumerateArray()];

    private static string Name(JsonElement e) => e.GetProperty("meter").GetString()!;

    private static decimal Amount(JsonElement e) => e.GetProperty("amount").GetDecimal();

    private static string Bare(JsonElement e) => JsonSerializer.Serialize(e.EnumerateObject().Where(p => p.Name != "data").ToDictionary(p => p.Name, p => p.Value));
}
