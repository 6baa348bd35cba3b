using System.Runtime.CompilerServices;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>Who wants to know when samples come: alarms, by a metric's id, its name, or its name at a resource. With each write of a watched metric a message is promised.</summary>
internal sealed class Watches(Services s)
{
    public const string Queue = "metric-watch";
    private const string Partition = "metric.watch";
    private static readonly ConditionalWeakTable<IEntityStore, Watches> All = [];

    // Samples come often and watches seldom change: another process's are seen after this time.
    private readonly Remembered<HashSet<string>> _keys = new(s.Clock, TimeSpan.FromSeconds(10), async () => [.. (await s.Store.List(Partition, "", char.MaxValue.ToString())).Select(r => r.Key.Split('|')[0])]);

    public static Watches Of(Services services) => All.GetValue(services.Store, _ => new(services));

    /// <summary>By what a metric may be watched: its id, its name, its name at its resource.</summary>
    public static IEnumerable<string> KeysOf(string metric, string? name, string? resource) => name is null ? [metric] : resource is null ? [metric, name] : [metric, name, $"{resource}/{name}"];

    public async ValueTask<IReadOnlyList<Message>?> Messages(Metric m)
    {
        var keys = await _keys.Get();
        if (keys.Count == 0 || !KeysOf(m.Id, m.Name, m.Resource).Any(k => keys.Contains(Keys.Safe(k)))) return null;
        return [new(Queue, $"arrived:{m.Id}:{s.Ids.New()}", Json.Write(new Arrived(m.Id, m.Name, m.Resource)))];
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
