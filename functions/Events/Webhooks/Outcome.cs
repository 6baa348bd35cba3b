using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>What attempts mean for the webhook: its next state, and the rows that go with it. Free of any store.</summary>
internal sealed class Outcome
{
    /// <summary>Beyond this much that is put off, a receiver that refuses counts as absent.</summary>
    private const int MostStuck = 100, MostLate = 1000;
    private static readonly TimeSpan TooSlow = TimeSpan.FromSeconds(2), QuickAgain = TimeSpan.FromSeconds(1);

    private readonly Webhook _hook;
    private readonly DateTimeOffset _now;
    private readonly Dictionary<string, Stuck> _stuck;
    private readonly HashSet<long> _undone;
    private int _late;

    public HookState State { get; }
    public List<Op> Ops { get; } = [];
    public List<DeliveryEntry> Log { get; } = [];
    public List<(LogEntry Entry, string Reason)> GivenUp { get; } = [];
    /// <summary>Why the webhook is to be disabled; null when it isn't.</summary>
    public string? Ends { get; private set; }

    public Outcome(Webhook hook, HookState was, Work work, DateTimeOffset now)
    {
        (_hook, _now, _late, _stuck) = (hook, now, was.Late, was.Stuck.ToDictionary(x => x.Subject));
        var attempts = work.Chains.SelectMany(c => c.Attempts).ToList();
        var answered = attempts.Exists(a => a.Verdict is Verdict.Delivered or Verdict.Refused);
        var crowded = _stuck.Count >= MostStuck || _late >= MostLate;
        // Somebody answered while it was probed: who didn't get an answer then is to blame himself.
        var absent = attempts.Find(a => a.Verdict == Verdict.Absent && !a.Parcel.Late && !(was.Outage is not null && answered)) ?? (crowded ? attempts.Find(a => a.Verdict == Verdict.Refused && !a.Parcel.Late && !a.Parcel.Again) : null);
        var gone = attempts.Exists(a => a.Verdict == Verdict.Gone);
        _undone = [.. work.Chains.SelectMany(c => c.Parcels).Where(p => !p.Late && !p.Again).Select(p => p.Number)];
        foreach (var (subject, number) in work.Lost) Drop(subject, number);
        foreach (var chain in work.Chains) Settle(chain, absent is not null || gone, crowded);
        foreach (var parcel in work.Put) PutOff(parcel);
        Note(was, attempts);
        var outage = absent is null ? null : attempts.Exists(a => a.Verdict == Verdict.Delivered) || was.Outage is null ? new Outage(now, 0, now, "") : was.Outage;
        if (outage is not null) outage = outage with { Attempts = outage.Attempts + 1, Next = now + Backoff.After(hook.Id, outage.Attempts + 1), Reason = absent!.Error };
        if (gone) Ends = "It answered 410: it wants no more.";
        else if (outage is not null && now - outage.Since >= Backoff.Patience) Ends = $"Nothing could be delivered for a day. {outage.Reason}";
        State = was with
        {
            Cursor = _undone.Count == 0 ? work.Upto : Math.Max(was.Cursor, _undone.Min() - 1),
            Done = _undone.Count == 0 ? [] : [.. was.Done.Concat(work.Chains.SelectMany(c => c.Parcels).Concat(work.Put).Where(p => !p.Late && !p.Again).Select(p => p.Number)).Where(n => n >= _undone.Min() && !_undone.Contains(n)).Distinct().Order()],
            Outage = outage,
            Stuck = [.. _stuck.Values],
            Late = _late,
            Sent = was.Sent + Log.Count,
            Again = Left(was.Again, work, outage is not null || gone),
            Slow = outage is not null || Pace(was.Slow, attempts),
        };
        State = State with { Due = outage?.Next ?? (State.Stuck.Length > 0 ? State.Stuck.Min(x => x.Next) : null) };
    }

    private void Settle(Chain chain, bool stopped, bool crowded)
    {
        foreach (var a in chain.Attempts.Where(a => a.Verdict == Verdict.Delivered))
            if (a.Parcel.Late) Drop(chain.Subject, a.Parcel.Number);
            else _undone.Remove(a.Parcel.Number);
        if (chain.Parcels is [{ Again: true }, ..]) return;
        var (bad, delivered) = (chain.Attempts.Find(a => a.Verdict != Verdict.Delivered), chain.Attempts.Count(a => a.Verdict == Verdict.Delivered));
        if (bad is null || bad.Verdict == Verdict.Gone || !bad.Parcel.Late && stopped && (bad.Verdict == Verdict.Absent || crowded))
        {
            // What was put off of it is through, or was not reached.
            var left = chain.Parcels.Skip(delivered).Any(p => p.Late) || !chain.Whole;
            if (!left) _stuck.Remove(chain.Subject);
            else if (delivered > 0) _stuck[chain.Subject] = chain.Stuck! with { Since = _now, Attempts = 0, Next = _now };
            return;
        }
        var since = delivered == 0 && chain.Stuck is { Attempts: > 0 } old ? old : new(chain.Subject, _now, 0, _now, "");
        if (_now - since.Since >= Backoff.Patience)
        {
            if (bad.Parcel.Late) Drop(chain.Subject, bad.Parcel.Number);
            else _undone.Remove(bad.Parcel.Number);
            GivenUp.Add((bad.Parcel.Entry, bad.Error));
            foreach (var p in chain.Parcels.Skip(delivered + 1).Where(p => !p.Late)) PutOff(p);
            if (chain.Parcels.Count > delivered + 1 || !chain.Whole) _stuck[chain.Subject] = new(chain.Subject, _now, 0, _now, "");
            else _stuck.Remove(chain.Subject);
            return;
        }
        foreach (var p in chain.Parcels.Skip(delivered).Where(p => !p.Late)) PutOff(p);
        _stuck[chain.Subject] = since with { Attempts = since.Attempts + 1, Next = _now + Backoff.After($"{_hook.Id}|{chain.Subject}", since.Attempts + 1), Reason = bad.Error };
    }

    private void PutOff(Parcel p)
    {
        Ops.Add(new Op.Upsert(LateEvent.Key(p.Subject, p.Number), Json.Write(new LateEvent(p.Number))));
        _undone.Remove(p.Number);
        _late++;
    }

    private void Drop(string subject, long number)
    {
        Ops.Add(new Op.Delete(LateEvent.Key(subject, number)));
        _late--;
    }

    private void Note(HookState was, List<Attempt> attempts)
    {
        foreach (var a in attempts.OrderBy(a => a.At).ThenBy(a => a.Parcel.Number))
        {
            var (p, e) = (a.Parcel, a.Parcel.Entry);
            var failed = p.Again ? 0 : p.Late ? Array.Find(was.Stuck, x => x.Subject == p.Subject)?.Attempts ?? 0 : was.Outage?.Attempts ?? 0;
            var outcome = a.Verdict == Verdict.Delivered ? DeliveryEntry.Delivered : GivenUp.Exists(g => g.Entry == e) ? DeliveryEntry.GivenUp : DeliveryEntry.Failed;
            Log.Add(new(was.Sent + Log.Count + 1, p.Number, e.EventId, p.Type, p.Subject, failed + 1, a.At, (int)a.Took.TotalMilliseconds, a.Status, a.Error, outcome, p.Again));
        }
    }

    private static Span[] Left(Span[] spans, Work work, bool stopped)
    {
        if (work.Again is not { } did || stopped) return spans;
        return did.Until >= spans[0].Until || did.Until <= did.After ? spans[1..] : [spans[0] with { After = did.Until }, .. spans[1..]];
    }

    /// <summary>A receiver that takes long is slow until it is quick again.</summary>
    private static bool Pace(bool was, List<Attempt> attempts)
    {
        var taken = attempts.Where(a => a.Verdict is Verdict.Delivered or Verdict.Refused).Select(a => a.Took).ToList();
        return taken.Count == 0 ? was : taken.Average(t => t.TotalSeconds) is var mean && (was ? mean > QuickAgain.TotalSeconds : mean > TooSlow.TotalSeconds);
    }
}
