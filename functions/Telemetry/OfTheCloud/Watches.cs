using System.Runtime.CompilerServices;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>Who wants to know when samples come: alarms, by a metric's id or by its name. With each write of a watched metric a message is promised.</summary>
internal sealed class Watches(Services s)
{
    public const string Queue = "metric-watch";
    private const string Partition = "metric.watch";
    private static readonly ConditionalWeakTable<IEntityStore, Watches> All = [];

    // Samples come often and watches seldom change: another process's are seen after this time.
    private readonly Remembered<HashSet<string>> _keys = new(s.Clock, TimeSpan.FromSeconds(10), async () => [.. (await s.Store.List(Partition, "", char.MaxValue.ToString())).Select(r => r.Key.Split('|')[0])]);

    public static Watches Of(Services services) => All.GetValue(services.Store, _ => new(services));

    /// <summary>A metric whose samples came.</summary>
    public sealed record Arrival(string Metric, string? Name, string? Resource, string Project);

    public async ValueTask<IReadOnlyList<Message>?> Messages(Metric m)
    {
        var keys = await _keys.Get();
        if (keys.Count == 0 || !(keys.Contains(m.Id) || m.Name is { } name && keys.Contains(Keys.Safe(name)))) return null;
        return [new(Queue, $"arrived:{m.Id}", Json.Write(new Arrival(m.Id, m.Name, m.Resource, m.Home["metric.home.".Length..])))];
    }

    public async ValueTask Set(string watcher, IReadOnlyCollection<string> keys, CancellationToken ct)
    {
        if (keys.Count > 0) await s.Store.Commit(Partition, [.. keys.Select(k => new Op.Upsert($"{Keys.Safe(k)}|{watcher}", Encoding.UTF8.GetBytes(watcher)))], ct: ct);
        _keys.Forget();
    }

    public async ValueTask Clear(string watcher, IReadOnlyCollection<string> keys, CancellationToken ct)
    {
        if (keys.Count > 0) await s.Store.Commit(Partition, [.. keys.Select(k => new Op.Delete($"{Keys.Safe(k)}|{watcher}"))], ct: ct);
        _keys.Forget();
    }

    public async ValueTask<IReadOnlyList<string>> Watchers(IEnumerable<string> keys, CancellationToken ct)
    {
        var found = new List<string>();
        foreach (var key in keys)
        {
            var (from, to) = Keys.Range(Keys.Safe(key) + "|");
            found.AddRange((await s.Store.List(Partition, from, to, ct: ct)).Select(r => Encoding.UTF8.GetString(r.Body.Span)));
        }
        return [.. found.Distinct()];
    }
}
