using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>What a webhook has to do next: one piece of its log, and what was put off and is due.</summary>
/// <param name="Put">New ones that must wait, for their resource is stuck.</param>
/// <param name="Upto">Number of the last entry that was looked at.</param>
/// <param name="More">There is more to be done at once.</param>
internal sealed record Work(IReadOnlyList<Chain> Chains, IReadOnlyList<Parcel> Put, long Upto, bool More)
{
    /// <summary>A run changes at most so many rows more than its own three.</summary>
    public const int New = 64, Late = 16;

    /// <summary>Events that were put off and are no longer kept.</summary>
    public List<(string Subject, long Number)> Lost { get; } = [];
    /// <summary>The piece of a span that is sent once more.</summary>
    public Span? Again { get; init; }

    public static async ValueTask<Work> Of(Services s, Webhook hook, HookState state, CancellationToken ct)
    {
        var found = await EventLog.After(s.Store, hook.Log, state.Cursor, New, ct);
        var fresh = found.Select(e => new Parcel(EventBody.NumberOf(e, hook.AllProjects), e)).Where(p => !state.Done.Contains(p.Number) && hook.Wants(p.Entry)).GroupBy(p => p.Subject).ToDictionary(g => g.Key, g => g.ToList());
        var (chains, put, lost, room) = (new List<Chain>(), new List<Parcel>(), new List<(string, long)>(), Late);
        foreach (var stuck in state.Stuck.OrderBy(x => x.Next))
        {
            if (!fresh.Remove(stuck.Subject, out var after)) after = [];
            if (stuck.Next > s.Now || room == 0) { put.AddRange(after); continue; }
            var numbers = await LateEvent.Of(s.Store, hook.Id, stuck.Subject, room + 1, ct);
            var whole = numbers.Count <= room;
            var late = new List<Parcel>();
            foreach (var number in numbers.Take(room))
                if (await EventLog.After(s.Store, hook.Log, number - 1, 1, ct) is [var entry] && EventBody.NumberOf(entry, hook.AllProjects) == number) late.Add(new(number, entry, Late: true));
                else lost.Add((stuck.Subject, number));
            room -= Math.Min(room, numbers.Count);
            if (!whole) put.AddRange(after);
            chains.Add(new(stuck.Subject, whole ? [.. late, .. after] : late, stuck, whole));
        }
        // New ones first: they tell whether the receiver is there at all.
        chains.InsertRange(0, fresh.OrderBy(f => f.Value[0].Number).Select(f => new Chain(f.Key, f.Value, null, true)));
        var work = new Work(chains, put, found.Count > 0 ? EventBody.NumberOf(found[^1], hook.AllProjects) : state.Cursor, found.Count == New || room == 0);
        work.Lost.AddRange(lost);
        return found.Count == 0 && chains.Count == 0 && state.Again is [var span, ..] ? await Repeat(s, hook, span, state.Cursor, ct) : work;
    }

    /// <summary>Nothing else is to be done: what somebody asked for once more, whatever became of it before.</summary>
    private static async ValueTask<Work> Repeat(Services s, Webhook hook, Span span, long cursor, CancellationToken ct)
    {
        var found = (await EventLog.After(s.Store, hook.Log, span.After, New, ct)).TakeWhile(e => EventBody.NumberOf(e, hook.AllProjects) <= span.Until).ToList();
        var chains = found.Where(hook.Wants).Select(e => new Parcel(EventBody.NumberOf(e, hook.AllProjects), e, Again: true)).GroupBy(p => p.Subject).Select(g => new Chain(g.Key, [.. g], null, true)).ToList();
        return new(chains, [], cursor, true) { Again = found.Count > 0 ? new(span.After, EventBody.NumberOf(found[^1], hook.AllProjects)) : span };
    }
}
