using System.Buffers.Binary;
using System.Globalization;
using Cloud.Platform.Bus;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>
/// A metric's points. Its partition holds the samples that may still change a span (<c>w|raw|TIME</c>, as long as the coarsest span and the policy's
/// back window), the time of the newest (<c>w|head</c>, which every write replaces: so of two writers at once one starts anew), and for each resolution rows of
/// finished and unfinished spans (<c>a|GRANULARITY|TIME</c>). Spans are computed from raw samples whenever one of theirs comes, so a repeat changes nothing.
/// </summary>
public static class Archive
{
    /// <summary>Samples that a back window may hold.</summary>
    private const int MostWaiting = 131_072;
    // A group of the store has 100 operations: a sample may change its own span and that of the next one, and raw rows need some.
    private const int MostBlocks = 36, MostGone = 10;
    private const string Head = "w|head";

    public static string PartitionOf(string metric) => "metric.s." + metric;

    private sealed record Window(string? HeadTag, Series Raw, IReadOnlyList<Row> Rows);

    /// <summary>Adds samples; those before the back window are left out, and one at the time of another replaces it.</summary>
    /// <param name="messages">Promised with each write.</param>
    /// <exception cref="Fault">400 when more samples are in the back window than can be.</exception>
    public static async ValueTask Add(IEntityStore store, string metric, ArchivePolicy policy, Series samples, IReadOnlyList<Message>? messages, CancellationToken ct)
    {
        if (policy.Definition.Length == 0) return; // it was just deleted
        for (var at = 0; at < samples.Count;)
        {
            // Some of them at a time, so that each write is one group.
            for (var count = samples.Count - at; ; count /= 2)
            {
                var part = samples.Slice(at, at + count);
                if (count > 1 && Touched(policy, part) > MostBlocks) continue;
                if (await Try(store, metric, policy, part, messages, ct)) { at += count; break; }
                count *= 2; // somebody else wrote: the same again
            }
        }
    }

    private static int Touched(ArchivePolicy policy, Series part) => policy.Definition.Sum(d => part.Times.Select(t => Times.Floor(t, Width(policy, d))).Distinct().Take(MostBlocks + 1).Count());

    private static long Width(ArchivePolicy policy, Resolution d) => d.Granularity * Block.Spans(policy.AggregationMethods.Length);

    private static long WindowStart(ArchivePolicy policy, long newest) => Times.Floor(newest, policy.Coarsest) - policy.Coarsest * (policy.BackWindow + (policy.Derives ? 1 : 0));

    private static async ValueTask<Window> Read(IEntityStore store, string metric, CancellationToken ct)
    {
        var (from, to) = Keys.Range("w|");
        var rows = await store.List(PartitionOf(metric), from, to, ct: ct);
        var (times, values) = (new List<long>(), new List<double>());
        foreach (var row in rows)
            if (row.Key != Head) Block.Read(row.Body, 1, 0, times, values);
        return new(rows.FirstOrDefault(r => r.Key == Head)?.ETag, new([.. times], [.. values]), [.. rows.Where(r => r.Key != Head)]);
    }

    private static async ValueTask<bool> Try(IEntityStore store, string metric, ArchivePolicy policy, Series samples, IReadOnlyList<Message>? messages, CancellationToken ct)
    {
        var was = await Read(store, metric, ct);
        // Rows go as a whole, so some of what they hold is from before the window.
        var known = was.Raw.Count == 0 ? was.Raw : was.Raw.Between(WindowStart(policy, was.Raw.Last), null);
        var fresh = known.Count == 0 ? samples : samples.Between(WindowStart(policy, known.Last), null);
        if (fresh.Count == 0) return true;
        var all = known.With(fresh);
        if (all.Count > MostWaiting) throw Fault.BadRequest($"More than {MostWaiting} samples are in the back window of the archive policy {policy.Name}");
        var ops = new List<Op>();
        var differences = policy.Derives ? all.Differences() : Series.Empty;
        foreach (var d in policy.Definition) await Blocks(store, metric, policy, d, all, differences, fresh, ops, ct);
        Waiting(was, all.Between(WindowStart(policy, all.Last), null), ops);
        var head = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(head, all.Last);
        ops.Add(was.HeadTag is null ? new Op.Insert(Head, head) : new Op.Replace(Head, head, was.HeadTag));
        try
        {
            await store.Commit(PartitionOf(metric), ops, messages, ct);
            return true;
        }
        catch (ConflictException) { return false; }
    }

    /// <summary>The spans of one resolution in which something changed, written anew.</summary>
    private static async ValueTask Blocks(IEntityStore store, string metric, ArchivePolicy policy, Resolution d, Series all, Series differences, Series fresh, List<Op> ops, CancellationToken ct)
    {
        var (width, methods, grown) = (Width(policy, d), policy.AggregationMethods, false);
        var changed = new SortedSet<long>();
        foreach (var t in fresh.Times)
        {
            changed.Add(Times.Floor(t, d.Granularity));
            // The one after it differs by another amount now.
            if (policy.Derives && all.From(t + 1) is var next && next < all.Count) changed.Add(Times.Floor(all.Times[next], d.Granularity));
        }
        foreach (var group in changed.GroupBy(s => Times.Floor(s, width)))
        {
            var (key, points) = (KeyOf(d, group.Key), new SortedDictionary<long, double[]>());
            if (await store.Get(PartitionOf(metric), key, ct) is not { } old) grown = true;
            else foreach (var (time, columns) in Block.Read(old.Body, methods.Length)) points[time] = columns;
            foreach (var span in group)
            {
                var (values, rates) = (all.Between(span, span + d.Granularity).Values, differences.Between(span, span + d.Granularity).Values);
                points[span] = [.. methods.Select(m => m.StartsWith("rate:", StringComparison.Ordinal) ? rates.Length == 0 ? double.NaN : Aggregate.Of(m[5..], rates) : Aggregate.Of(m, values))];
            }
            ops.Add(new Op.Upsert(key, Block.Write([.. points.Select(p => (p.Key, p.Value))], methods.Length)));
        }
        if (grown && d.Timespan is { } kept) await Old(store, metric, d, Times.Floor(all.Last, d.Granularity) - kept - width, ops, ct);
    }

    /// <summary>Rows of an archive of which all is older than what is kept.</summary>
    private static async ValueTask Old(IEntityStore store, string metric, Resolution d, long before, List<Op> ops, CancellationToken ct)
    {
        if (before <= 0) return;
        foreach (var row in await store.List(PartitionOf(metric), KeyOf(d, 0), KeyOf(d, before), MostGone, ct))
            if (ops.Count < 90 && !ops.Exists(o => o.Key == row.Key)) ops.Add(new Op.Delete(row.Key));
    }

    /// <summary>Raw samples keep the rows they are in; new ones go to the last until it is full.</summary>
    private static void Waiting(Window was, Series all, List<Op> ops)
    {
        var starts = was.Rows.Select(r => long.Parse(r.Key.AsSpan("w|raw|".Length), CultureInfo.InvariantCulture)).ToList();
        for (var i = 0; i < Math.Max(starts.Count, 1); i++)
        {
            var row = starts.Count == 0 ? null : was.Rows[i];
            var part = all.Between(i == 0 || starts.Count == 0 ? null : starts[i], i + 1 < starts.Count ? starts[i + 1] : null);
            if (row is not null && (part.Count == 0 || part.First < starts[i] || part.Count > Block.MostRaw)) { ops.Add(new Op.Delete(row.Key)); row = null; }
            for (var at = 0; at < part.Count; at += Block.MostRaw)
            {
                var some = part.Slice(at, Math.Min(at + Block.MostRaw, part.Count));
                var (key, body) = (row?.Key ?? "w|raw|" + Stamp(some.First), Block.Write(some));
                if (row is not null && row.Body.Span.SequenceEqual(body)) continue;
                ops.RemoveAll(o => o.Key == key);
                ops.Add(new Op.Upsert(key, body));
            }
        }
    }

    /// <summary>One aggregate of one resolution.</summary>
    /// <param name="resample">Gathers the points anew, by the same method.</param>
    /// <exception cref="ArgumentException">The policy doesn't have the method.</exception>
    public static async ValueTask<Series> Read(IEntityStore store, string metric, ArchivePolicy policy, string method, Resolution d, long? from, long? to, Sampling? resample, CancellationToken ct)
    {
        var column = Array.IndexOf(policy.AggregationMethods, method) is var i && i >= 0 ? i : throw new ArgumentException($"{method} isn't kept", nameof(method));
        // Whole groups are read, then cut: a group's value doesn't depend on where the cut is.
        var (first, last) = (from is null ? 0 : Math.Max(0, resample?.GroupOf(from.Value) ?? from.Value), to is { } t && t <= long.MaxValue - (resample?.Longest ?? 0) ? t + (resample?.Longest ?? 0) : long.MaxValue);
        var (times, values) = (new List<long>(), new List<double>());
        foreach (var row in await store.List(PartitionOf(metric), KeyOf(d, Times.Floor(first, Width(policy, d))), last == long.MaxValue ? KeyOf(d, last) : KeyOf(d, Times.Floor(last, Width(policy, d))) + '~', ct: ct))
            Block.Read(row.Body, policy.AggregationMethods.Length, column, times, values);
        var series = new Series([.. times], [.. values]);
        if (d.Timespan is { } kept && await store.Get(PartitionOf(metric), Head, ct) is { } head)
            series = series.Between(Times.Floor(BinaryPrimitives.ReadInt64LittleEndian(head.Body.Span), d.Granularity) - kept + 1, null);
        if (resample is not null) series = Regroup(series, method, resample);
        return series.Between(from is null ? null : resample?.GroupOf(from.Value) ?? Times.Floor(from.Value, d.Granularity), to);
    }

    public static Series Regroup(Series series, string method, Sampling by) =>
        method.StartsWith("rate:", StringComparison.Ordinal) ? series.Differences().Group(method[5..], by.GroupOf) : series.Group(method, by.GroupOf);

    /// <summary>Removes all of a metric that is gone. Repeats harmlessly.</summary>
    public static async ValueTask Clear(IEntityStore store, string metric, CancellationToken ct)
    {
        while (true)
        {
            var rows = await store.List(PartitionOf(metric), "", char.MaxValue.ToString(), 100, ct);
            if (rows.Count == 0) return;
            await store.Commit(PartitionOf(metric), [.. rows.Select(r => new Op.Delete(r.Key))], ct: ct);
        }
    }

    private static string KeyOf(Resolution d, long time) => $"a|{Stamp(d.Granularity)}|{Stamp(time)}";
    private static string Stamp(long ns) => ns.ToString("D19", CultureInfo.InvariantCulture);
}
