using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Cloud.Telemetry;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Unit.Telemetry;

/// <summary>Points that a metric keeps, whatever the order in which its samples come.</summary>
public sealed class ArchiveTests : IDisposable
{
    private const long Second = Times.Second, Minute = 60 * Second;
    private static readonly ArchivePolicy Policy = Of(0, ArchivePolicy.DefaultMethods, new Resolution(Second, null, null), new Resolution(Minute, null, null));
    private readonly MemoryBus _bus = new(new FakeTimeProvider());
    private readonly MemoryStore _store;

    public ArchiveTests() => _store = new(_bus);
    public void Dispose() => _bus.Dispose();

    private static ArchivePolicy Of(int window, string[] methods, params Resolution[] definition) => new() { Name = "p", BackWindow = window, AggregationMethods = methods, Definition = definition };

    private ValueTask Add(ArchivePolicy policy, params (long Second, double Value)[] samples) => Archive.Add(_store, "m", policy, Series.Of(samples.Select(s => (s.Second * Second, s.Value))), null, default);

    private async Task<(long, double)[]> Read(ArchivePolicy policy, string method, long granularity, long? from = null, long? to = null, Sampling? by = null)
    {
        var found = await Archive.Read(_store, "m", policy, method, policy.At(granularity)!, from * Second, to * Second, by, default);
        return [.. found.Times.Zip(found.Values).Select(p => (p.First / Second, p.Second))];
    }

    [Fact]
    public async Task Each_span_has_each_aggregate()
    {
        await Add(Policy, (60, 4), (61, 2), (119, 6), (120, 1));
        foreach (var (method, first) in new[] { ("mean", 4.0), ("sum", 12), ("min", 2), ("max", 6), ("count", 3), ("std", 2) }) Assert.Equal((60, first), (await Read(Policy, method, Minute))[0]);
        Assert.Equal([(60, 4.0), (120, 1)], await Read(Policy, "mean", Minute));
        Assert.Equal([(60, 2.0)], await Read(Policy, "std", Minute));
        Assert.Equal([(61, 2.0), (119, 6)], await Read(Policy, "mean", Second, 61, 120));
        Assert.Equal([(60, 4.0)], await Read(Policy, "mean", Minute, 100, 120));
        Assert.Equal([(0, 13.0 / 4)], await Read(Policy, "mean", Second, by: new(3600 * Second, ' ')));
    }

    [Fact]
    public async Task The_same_again_changes_nothing_and_another_value_replaces()
    {
        await Add(Policy, (60, 4), (61, 2));
        var before = _store.All.Select(r => (r.Key, Convert.ToHexString(r.Body.Span))).ToList();
        await Add(Policy, (61, 2));
        await Add(Policy, (60, 4), (61, 2));
        Assert.Equal(before, _store.All.Select(r => (r.Key, Convert.ToHexString(r.Body.Span))));
        await Add(Policy, (61, 8));
        Assert.Equal([(60, 6.0)], await Read(Policy, "mean", Minute));
    }

    [Fact]
    public async Task Samples_from_before_the_back_window_are_left_out()
    {
        await Add(Policy, (600, 1));
        await Add(Policy, (599, 9), (601, 3));
        Assert.Equal([(600, 2.0)], await Read(Policy, "mean", Minute));
        var patient = Of(2, ["mean"], Policy.Definition);
        await Archive.Clear(_store, "m", default);
        await Add(patient, (600, 1));
        await Add(patient, (480, 9), (479, 7));
        Assert.Equal([(480, 9.0), (600, 1)], await Read(patient, "mean", Minute));
    }

    [Fact]
    public async Task A_rate_is_of_differences_also_when_one_comes_between()
    {
        var rates = Of(10, ["rate:mean", "rate:max"], new Resolution(Minute, null, null));
        await Add(rates, (60, 10), (90, 13));
        await Add(rates, (150, 20));
        await Add(rates, (119, 14));
        Assert.Equal([(60, 2.0), (120, 6)], await Read(rates, "rate:mean", Minute));
        Assert.Equal([(60, 3.0), (120, 6)], await Read(rates, "rate:max", Minute));
    }

    [Fact]
    public async Task What_is_older_than_the_timespan_is_neither_shown_nor_kept()
    {
        var brief = Of(0, ["mean"], new Resolution(Second, 100, 100 * Second));
        for (var t = 0; t < 1000; t += 10) await Add(brief, (t, t));
        Assert.Equal((900, 10), ((await Read(brief, "mean", Second))[0].Item1, (await Read(brief, "mean", Second)).Length));
        Assert.InRange(_store.All.Count(r => r.Key.StartsWith("a|", StringComparison.Ordinal)), 2, 5);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task However_samples_are_split_and_ordered_the_points_are_the_same(int seed)
    {
        var chance = new Random(seed);
        string[] methods = [.. ArchivePolicy.DefaultMethods, "median", "95pct", "rate:mean"];
        var policy = Of(100, [.. methods.Order(StringComparer.Ordinal)], new Resolution(Second, null, null), new Resolution(7 * Second, null, null), new Resolution(Minute, null, null));
        var samples = Enumerable.Range(0, 400).Select(_ => ((long)chance.Next(3600), Math.Round(chance.NextDouble() * 100))).DistinctBy(s => s.Item1).ToArray();
        await Add(policy, samples);
        var whole = new List<(long, double)[]>();
        foreach (var m in methods) foreach (var d in policy.Definition) whole.Add(await Read(policy, m, d.Granularity));
        await Archive.Clear(_store, "m", default);
        chance.Shuffle(samples);
        // The newest first, so that nothing is before the window.
        await Add(policy, samples.MaxBy(s => s.Item1));
        for (int at = 0, n; at < samples.Length; at += n) await Add(policy, samples[at..(at + (n = Math.Min(chance.Next(1, 60), samples.Length - at)))]);
        var pieces = new List<(long, double)[]>();
        foreach (var m in methods) foreach (var d in policy.Definition) pieces.Add(await Read(policy, m, d.Granularity));
        Assert.Equal(whole, pieces);
    }

    [Fact]
    public async Task Writers_at_the_same_time_lose_nothing()
    {
        var patient = Of(100, ["count"], new Resolution(Minute, null, null));
        // Every read of the head is followed by another's write, once for each of ten.
        var (raced, n) = (new RacingStore(_store), 0);
        raced.BeforeCommit = async () => { if (n++ < 10) await Add(patient, (1000 + n, 1)); };
        await Archive.Add(raced, "m", patient, Series.Of([(999 * Second, 1)]), null, default);
        Assert.Equal(11, (await Read(patient, "count", Minute)).Sum(p => p.Item2));
    }

    [Fact]
    public async Task More_than_the_window_can_hold_is_refused()
    {
        var wide = Of(100_000, ["count"], new Resolution(3600 * Second, null, null));
        for (var i = 0; i < 13; i++) await Archive.Add(_store, "m", wide, Series.Of(Enumerable.Range(0, 10_000).Select(x => ((long)(i * 10_000 + x) * Second, 1.0))), null, default);
        Assert.Equal(400, (await Assert.ThrowsAsync<Fault>(async () => await Archive.Add(_store, "m", wide, Series.Of(Enumerable.Range(0, 10_000).Select(x => ((long)(130_000 + x) * Second, 1.0))), null, default))).Status);
        Assert.All(_store.All, r => Assert.InRange(r.Body.Length, 0, 65_536));
    }

    private sealed class RacingStore(IEntityStore inner) : IEntityStore
    {
        public Func<Task> BeforeCommit { get; set; } = () => Task.CompletedTask;
        public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default) => inner.Get(partition, key, ct);
        public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default) => inner.List(partition, from, to, limit, ct);
        public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) => inner.Scan(from, to, ct);
        public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) => inner.Partitions(prefix, ct);
        public async ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Platform.Bus.Message>? messages = null, CancellationToken ct = default)
        {
            await BeforeCommit();
            await inner.Commit(partition, ops, messages, ct);
        }
    }
}
