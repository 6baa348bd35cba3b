using System.Globalization;
using Cloud.Events;
using Cloud.Metering;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Tests.Kit;

public sealed partial class World
{
    private sealed record Said(string Resource, DateTimeOffset Created, Reading Reading);

    /// <param name="What">Null: nothing that counts.</param>
    private sealed record Heard(Said? What);

    /// <summary>
    /// The log tells every change once, and what is billed is what it tells: for each resource and meter the same milliseconds, and what still counts is what
    /// exists now.
    /// </summary>
    private void Metered()
    {
        var logged = In(EventLog.Partition).Where(r => r.Key.StartsWith("entry|", StringComparison.Ordinal) && !r.Key.StartsWith("entry||", StringComparison.Ordinal)).Select(Read).OfType<Said>().ToList();
        var now = _cloud.Clock.GetUtcNow().AddHours(1);
        var wanted = new List<string>();
        foreach (var life in logged.GroupBy(s => (s.Resource, s.Created)))
        {
            var readings = life.Select(s => s.Reading).OrderBy(r => r.Revision).ToList();
            for (var i = 0; i < readings.Count; i++) Expect(readings[i].Revision == i + 1, Wrong.Metering, $"the log of {life.Key.Resource} has revision {readings[i].Revision} where {i + 1} should be");
            wanted.AddRange(Lines(readings.Zip(readings.Skip(1).Select(r => r.At).Append(now)).SelectMany(p => p.First.Gauges.Select(g => (life.Key.Resource, g.Meter, g.Quantity, Ms(p.Second) - Ms(p.First.At))))));
        }
        var accounts = _rows.Where(r => r.Partition.StartsWith("metering.", StringComparison.Ordinal)).ToList();
        var live = accounts.Where(r => r.Key.StartsWith("live|", StringComparison.Ordinal)).Select(r => (Resource: Uri.UnescapeDataString(r.Key.Split('|', 3)[2]), Account: Json.Read<Account>(r.Body))).ToList();
        var closed = accounts.Where(r => r.Key.StartsWith("interval|", StringComparison.Ordinal)).Select(r => Json.Read<Entry>(r.Body)).ToList();
        foreach (var (resource, account) in live) Expect(account.Ahead.Length == 0, Wrong.Metering, $"{resource} waits for an event that never came");
        Same(Wrong.Metering, wanted.Order(StringComparer.Ordinal), Lines(closed.Select(e => (e.Resource, e.Interval.Meter, e.Interval.Quantity, Ms(e.Interval.To!.Value) - Ms(e.Interval.From)))
            .Concat(live.SelectMany(l => l.Account.Open.Select(o => (l.Resource, o.Meter, o.Quantity, Ms(now) - Ms(o.From)))))).Order(StringComparer.Ordinal));
        Same(Wrong.Metering, Counting().Order(StringComparer.Ordinal), live.SelectMany(l => l.Account.Open.Select(o => $"{l.Resource} {o.Meter} {o.Quantity}")).Order(StringComparer.Ordinal));
    }

    /// <summary>What has to be counting now, from the rows alone.</summary>
    private IEnumerable<string> Counting()
    {
        foreach (var s in _servers.Where(s => s.LaunchedAt is not null))
        {
            yield return $"server|{s.Id} server.{s.Flavor.Name} 1";
            if (s.Status == "ACTIVE") yield return $"server|{s.Id} server-running.{s.Flavor.Name} 1";
        }
        foreach (var v in _volumes.Where(v => v.Status != "error")) yield return $"volume|{v.Id} volume.gib {v.Size}";
        foreach (var s in _snapshots.Where(s => s.Status != "error")) yield return $"snapshot|{s.Id} snapshot.gib {s.Size}";
        foreach (var r in _routers) yield return $"router|{r.Id} router 1";
        foreach (var o in _rows.Where(r => r.Partition.StartsWith("objects.", StringComparison.Ordinal) && r.Key.StartsWith("o|", StringComparison.Ordinal)).Select(r => Json.Read<ObjectStorage.StoredObject>(r.Body))) yield return $"object|{o.Id} object.bytes {o.Bytes}";
        foreach (var i in All(Image.Images.Rows).Where(i => i.Size > 0)) yield return $"image|{i.Id} image.bytes {i.Size}";
        foreach (var f in _floating)
        {
            yield return $"floatingip|{f.Id} floatingip 1";
            yield return $"floatingip|{f.Id} floatingip-{(f.PortId is null ? "idle" : "bound")} 1";
        }
    }

    private static IEnumerable<string> Lines(IEnumerable<(string Resource, string Meter, long Quantity, long Milliseconds)> parts) =>
        parts.GroupBy(p => (p.Resource, p.Meter, p.Quantity)).Select(g => (g.Key, Sum: g.Sum(p => p.Milliseconds))).Where(x => x.Sum > 0).Select(x => $"{x.Key.Resource} {x.Key.Meter} {x.Key.Quantity} for {x.Sum.ToString(CultureInfo.InvariantCulture)} ms");

    private Said? Read(Row row) => _cloud.Memory.Get(row, r =>
    {
        var e = Json.Read<LogEntry>(r.Body).Event!.Value;
        return new Heard(Meters.Read(Event.Of(e)) is var (resource, created, reading) ? new Said(resource, created, reading) : null);
    }).What;

    private static long Ms(DateTimeOffset t) => t.ToUnixTimeMilliseconds();
}
