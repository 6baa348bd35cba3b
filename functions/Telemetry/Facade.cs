using Cloud.Platform;

namespace Cloud.Telemetry;

/// <summary>What samples are about.</summary>
/// <param name="Project">Whose it is: its readers see the resource and its metrics.</param>
/// <param name="Id">The cloud's id of it, or any text without a slash, e.g. SERVER-vda for a disk of a server.</param>
/// <param name="Type">Gnocchi's resource type: instance, instance_disk, instance_network_interface, volume ...</param>
/// <param name="Attributes">Of the type, e.g. name and instance_id; only used when the resource isn't there yet.</param>
public sealed record Measured(string Project, string Id, string Type, IReadOnlyDictionary<string, string>? Attributes = null);

/// <summary>One value, e.g. of cpu in ns or network.incoming.bytes in B. What is not a number is left out.</summary>
/// <param name="Metric">Ceilometer's name of it, without a slash.</param>
public sealed record Sample(string Metric, string? Unit, DateTimeOffset At, double Value);

/// <summary>For whoever measures the cloud.</summary>
public static class Facade
{
    /// <summary>Resources at work at the same time: a store writes what comes together as one.</summary>
    private const int AtOnce = 32;

    /// <summary>
    /// Adds samples of resources, in any number and order. The same again changes nothing: of one metric there is one value at a time. Resources and metrics
    /// are made where they aren't; the operator's rules say which archive policy a new metric has, and one that no rule is for is left out.
    /// </summary>
    public static async ValueTask Add(Services s, IEnumerable<(Measured Of, IReadOnlyList<Sample> Samples)> all, CancellationToken ct = default)
    {
        var (rules, policies) = (await Definitions.Rules(s.Store, ct), await Definitions.Policies(s.Store, ct));
        foreach (var some in all.Chunk(AtOnce)) await Task.WhenAll(some.Select(x => Add(s, rules, policies, x.Of, x.Samples, ct)));
    }

    private static async Task Add(Services s, IReadOnlyList<ArchivePolicyRule> rules, IReadOnlyDictionary<string, ArchivePolicy> policies, Measured of, IReadOnlyList<Sample> samples, CancellationToken ct)
    {
        foreach (var some in samples.Where(x => double.IsFinite(x.Value) && x.At >= DateTimeOffset.UnixEpoch).GroupBy(x => x.Metric).Chunk(MetricBody.MostAtOnce))
        {
            var subject = await Access.Repeat(async () =>
            {
                if (await Mirror.Ensure(s, of, ct) is not { } there) return null;
                List<Metric> added = [.. some.Where(m => !there.Metrics.ContainsKey(m.Key)).Select(m => (m.Key, m.First().Unit, Policy: rules.Match(m.Key))).Where(m => m.Policy is not null && policies.ContainsKey(m.Policy))
                    .Select(m => new Metric { Id = s.Ids.New(), Name = m.Key, Unit = m.Unit, Policy = m.Policy!, Creator = Creator.Cloud, Resource = there.Id, Home = there.Home })];
                if (added.Count == 0) return there;
                var next = there with { Metrics = new(there.Metrics.Concat(added.Select(m => new KeyValuePair<string, string>(m.Name!, m.Id))).ToDictionary()) };
                await Catalogue.Replace(s.Store, there, next, null, added, [], null, ct);
                return next;
            });
            if (subject is not null) await Task.WhenAll(some.Select(metric => Write(subject, metric)));
        }

        async Task Write(Subject subject, IGrouping<string, Sample> values)
        {
            if (subject.Metrics.TryGetValue(values.Key, out var id) && await Catalogue.Metric(s.Store, subject, id, ct) is { } m)
                await Measures.Add(s, m, policies.Of(m), Series.Of(values.Select(x => (Times.Of(x.At), x.Value))), ct);
        }
    }

    // ---- for alarms
    /// <summary>Queue of metrics whose samples came while somebody watched them; bodies are read by <see cref="Read"/>.</summary>
    public const string Arrivals = Watches.Queue;

    public static Arrived Read(ReadOnlyMemory<byte> body) => Platform.State.Json.Read<Arrived>(body);

    public static ValueTask<IReadOnlyList<string>> Watchers(Services s, Arrived arrived, CancellationToken ct = default) => Watches.Of(s).Watchers(Watches.KeysOf(arrived.Metric, arrived.Name, arrived.Resource), ct);

    /// <summary>From now on the watcher hears of samples that questions are about; other processes know within ten seconds.</summary>
    public static ValueTask Watch(Services s, string watcher, IEnumerable<Question> questions, CancellationToken ct = default) => Watches.Of(s).Set(watcher, [.. questions.SelectMany(q => q.Keys).Distinct()], ct);

    public static ValueTask Unwatch(Services s, string watcher, IEnumerable<Question> questions, CancellationToken ct = default) => Watches.Of(s).Clear(watcher, [.. questions.SelectMany(q => q.Keys).Distinct()], ct);

    /// <summary>Points that answer a question, in order; null when no metric does, or they can't be combined.</summary>
    public static ValueTask<IReadOnlyList<(DateTimeOffset At, double Value)>?> Answer(Services s, Question question, DateTimeOffset from, DateTimeOffset to, CancellationToken ct = default) => question.Answer(s, from, to, ct);

    /// <exception cref="Platform.Rest.Fault">400 for what can't be asked.</exception>
    public static ValueTask Check(Services s, Question question, CancellationToken ct = default) => question.Check(s, ct);

    public static bool IsMethod(string method) => ArchivePolicy.AllMethods.Contains(method);
}
