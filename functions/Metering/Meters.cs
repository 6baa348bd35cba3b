using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;

namespace Cloud.Metering;

/// <summary>Which states of which resources count as what. docs/metering.md lists the meters for readers.</summary>
public static class Meters
{
    private static readonly Dictionary<string, Func<JsonElement, Gauge[]>> Kinds = new()
    {
        ["compute.server"] = Server,
        ["block-storage.volume"] = v => Is(v, "creating", "error", "deleting") ? [] : [new("volume.gib", Number(v, "Size"))],
        ["block-storage.snapshot"] = s => Is(s, "creating", "error", "deleting") ? [] : [new("snapshot.gib", Number(s, "Size"))],
        ["image.image"] = i => Is(i, "active", "deactivated") ? [new("image.bytes", Number(i, "Size"))] : [],
        ["object-store.object"] = o => [new("object.bytes", Number(o, "Bytes"))],
        ["network.floatingip"] = f => Text(f, "PortId") is null ? [new("floatingip", 1), new("floatingip-idle", 1)] : [new("floatingip", 1), new("floatingip-bound", 1)],
        ["network.router"] = _ => [new("router", 1)],
    };

    /// <summary>Every meter there is, with what its sums are told in. Those in bytes are amounts (<see cref="Counted"/>), the others last.</summary>
    private static readonly (string Name, string Unit)[] Units =
    [
        ("server.*", "seconds"), ("server-running.*", "seconds"), ("volume.gib", "GiB-seconds"), ("snapshot.gib", "GiB-seconds"), ("image.bytes", "byte-seconds"), ("object.bytes", "byte-seconds"),
        ("floatingip", "seconds"), ("floatingip-bound", "seconds"), ("floatingip-idle", "seconds"), ("router", "seconds"), ("floatingip-traffic.in", "bytes"), ("floatingip-traffic.out", "bytes"),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Units.Select(u => u.Name)];

    /// <summary>What a sum of the meter is told in, or of all that begin so; null where there is none, or they differ.</summary>
    public static string? UnitOf(string pattern) => Units.Where(u => OwnService.Matches(u.Name, pattern) || OwnService.Matches(pattern, u.Name)).Select(u => u.Unit).Distinct().ToList() is [var one] ? one : null;

    /// <returns>Null when the event is about nothing that is metered.</returns>
    public static (string Resource, DateTimeOffset Created, Reading Reading)? Read(Event e)
    {
        if (e.Type.Split('.') is not ["cloud", "serverless", var service, var kind, var verb] || !Kinds.TryGetValue($"{service}.{kind}", out var gauges)) return null;
        var gone = verb == "deleted";
        var state = e.Data.GetProperty(gone ? "before" : "after");
        // From the moment a delete is accepted its owner doesn't pay: how long the rest takes is our affair.
        var doomed = gone || state.GetProperty("Doomed").GetBoolean();
        return ($"{kind}|{e.Subject}", state.GetProperty("CreatedAt").GetDateTimeOffset(), new(e.Data.GetProperty("revision").GetInt64(), e.Time, e.Id, doomed ? [] : gauges(state), gone));
    }

    /// <summary>A server counts from its first start on, and as running while it uses processors. One that never started costs nothing.</summary>
    private static Gauge[] Server(JsonElement s)
    {
        if (s.GetProperty("LaunchedAt").ValueKind == JsonValueKind.Null) return [];
        var flavor = s.GetProperty("Flavor").GetProperty("Name").GetString();
        return Is(s, "ACTIVE", "REBOOT", "HARD_REBOOT", "PASSWORD", "MIGRATING") ? [new($"server.{flavor}", 1), new($"server-running.{flavor}", 1)] : [new($"server.{flavor}", 1)];
    }

    private static bool Is(JsonElement state, params ReadOnlySpan<string> names) => names.Contains(Text(state, "Status"));
    private static string? Text(JsonElement state, string name) => state.GetProperty(name).GetString();
    private static long Number(JsonElement state, string name) => state.GetProperty(name) is { ValueKind: JsonValueKind.Number } n ? n.GetInt64() : 0;
}
