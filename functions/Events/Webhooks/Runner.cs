using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>
/// Serves one webhook that was woken: a piece of its log is sent, then what came of it is written in one transaction, and so on until nothing is left.
/// Messages of a webhook come one at a time (its id is their session), and only from the queue it belongs to at the moment, so there is never a second run beside.
/// A process that dies between the two sends that piece again: the same events with the same ids.
/// </summary>
internal static class Runner
{
    /// <summary>Then the rest is left to a message of its own: no host lets a function run for ever.</summary>
    private static readonly TimeSpan Shift = TimeSpan.FromSeconds(30);

    public static async Task Handle(Services s, Delivery d, CancellationToken ct)
    {
        var (wake, slow, until) = (Json.Read<Wake>(d.Message.Body), d.Message.Queue == Wake.SlowQueue, s.Now + Shift);
        for (var first = true; ; first = false)
        {
            if (await Webhooks.Rows.Find(s.Store, wake.Hook, wake.Project, ct) is not { Item: var hook }) { await Forget(s, wake.Hook, ct); return; }
            var (was, tag) = await HookState.Load(s.Store, hook, ct);
            if (was.Slow != slow)
            {
                // Not here. Who waits for somebody to answer again has a message of his own for that.
                if (was.Outage is null || was.Outage.Next <= s.Now || wake.Fresh || wake.Again is not null) await s.Bus.Send([wake.Message(d.Message.Id, was.Slow)], ct);
                return;
            }
            var state = was;
            if (first && wake.Fresh) state = state with { Outage = null, Stuck = [.. state.Stuck.Select(x => x with { Since = s.Now, Attempts = 0, Next = s.Now })] };
            if (first && wake.Again is { } again && !state.Again.Contains(again)) state = state with { Again = [.. state.Again, again] };
            if (hook.Status != Webhook.Active || state.Outage?.Next > s.Now)
            {
                if (state != was) await s.Store.Commit(HookState.PartitionOf(hook.Id), [state.Write(tag)], ct: ct);
                return;
            }
            if (!await Once(s, hook, was, state, tag, slow, ct)) return;
            if (s.Now >= until) { await s.Bus.Send([Wake.Of(hook).Now(s)], ct); return; }
        }
    }

    /// <returns>True when there is more to do.</returns>
    private static async Task<bool> Once(Services s, Webhook hook, HookState was, HookState state, string? tag, bool slow, CancellationToken ct)
    {
        var work = await Work.Of(s, hook, state, ct);
        await new Courier(s, hook).Send(work.Chains, probing: state.Outage is not null, ct);
        var outcome = new Outcome(hook, state, work, s.Now);
        var next = outcome.State;
        if (outcome.Log.Count + outcome.Ops.Count == 0 && work.Again is null && ReferenceEquals(state, was) && (next.Cursor, next.Outage, next.Slow, next.Due) == (was.Cursor, was.Outage, was.Slow, was.Due)) return false;
        List<Op> ops = [next.Write(tag), .. outcome.Ops, .. await DeliveryLog.Overflow(s.Store, hook.Id, next.Sent, ct)];
        if (outcome.Log.Count > 0) ops.Add(DeliveryLog.Write(outcome.Log));
        var messages = outcome.GivenUp.Select(g => GaveUp.Of(s, hook, g.Entry, g.Reason)).ToList();
        if (outcome.Ends is null && next.Due is { } due && due != was.Due) messages.Add(Wake.Of(hook).At(due, $"{due.UtcTicks}"));
        if (next.Slow != slow) messages.Add(Wake.Of(hook).Message(s.Ids.New(), next.Slow));
        await s.Store.Commit(HookState.PartitionOf(hook.Id), ops, messages, ct);
        if (outcome.Ends is { } reason) await Disable(s, hook, reason, ct);
        return outcome.Ends is null && next.Outage is null && next.Slow == slow && (work.More || next.Again.Length > 0);
    }

    private static async Task Disable(Services s, Webhook hook, string reason, CancellationToken ct)
    {
        while (await Webhooks.Rows.Find(s.Store, hook.Id, hook.ProjectId, ct) is { Item.Status: Webhook.Active } found)
            try
            {
                await Webhooks.Rows.Save(s, found.Item with { Status = Webhook.Disabled, StatusReason = reason }, found, new("", ""),
                    messages: [CloudEvent.Alert(s, "webhook-disabled", hook.Id, hook.ProjectId, $"The webhook {hook.Id} is disabled. {reason}")], ct: ct);
                Listeners.Of(s).Forget(hook.Log);
                return;
            }
            catch (ConflictException) { /* its owner changed it meanwhile: look again */ }
    }

    /// <summary>A webhook is gone: so is all that was kept for it.</summary>
    private static async Task Forget(Services s, string hook, CancellationToken ct)
    {
        while (await s.Store.List(HookState.PartitionOf(hook), "", char.MaxValue.ToString(), 100, ct) is { Count: > 0 } rows)
            await s.Store.Commit(HookState.PartitionOf(hook), [.. rows.Select(r => new Op.Delete(r.Key))], ct: ct);
    }
}
