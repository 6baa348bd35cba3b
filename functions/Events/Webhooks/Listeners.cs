using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>
/// Which webhooks read a log, remembered for a moment: who writes entries asks for each. What this process doesn't know yet of another's
/// new webhook costs nothing but that moment, for a webhook is woken once more when it has passed.
/// </summary>
internal sealed class Listeners(Services s)
{
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(5);
    private const int MostLogs = 2000;
    private static readonly ConditionalWeakTable<IEntityStore, Listeners> All = [];

    private readonly ConcurrentDictionary<string, Remembered<IReadOnlyList<Webhook>>> _logs = [];

    public static Listeners Of(Services services) => All.GetValue(services.Store, _ => new(services));

    /// <summary>Wakes each that wants one of the new entries; nothing is written for those that don't.</summary>
    public async ValueTask<IReadOnlyList<Message>> Wakes(IReadOnlyList<LogEntry> entries)
    {
        var messages = new List<Message>();
        foreach (var log in entries.GroupBy(e => e.Project).Where(g => g.Key.Length > 0)) await Add(log.Key, [.. log]);
        await Add("", entries);
        return messages;

        async ValueTask Add(string log, IReadOnlyList<LogEntry> some)
        {
            foreach (var hook in await ReadersOf(log))
                if (some.LastOrDefault(hook.Wants) is { } last) messages.Add(Wake.Of(hook).Message(EventBody.Text(EventBody.NumberOf(last, hook.AllProjects))));
        }
    }

    public void Forget(string log)
    {
        if (_logs.TryGetValue(log, out var known)) known.Forget();
    }

    private ValueTask<IReadOnlyList<Webhook>> ReadersOf(string log)
    {
        if (_logs.Count > MostLogs) _logs.Clear();
        return _logs.GetOrAdd(log, l => new(s.Clock, Life, async () =>
            [.. (l.Length == 0 ? await Webhooks.Rows.SharedOnes(s.Store) : await Webhooks.Rows.InProject(s.Store, l)).Where(h => h.Log == l && h.Status == Webhook.Active)])).Get();
    }
}
