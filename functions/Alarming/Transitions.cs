using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Alarming;

/// <summary>An alarm's new state, and what is to be done about it: state, history, event and the promise of each notice are one write.</summary>
internal static class Transitions
{
    public const string Due = "alarm-due";

    public static Message Look(Alarm a, DateTimeOffset at, bool soon = false) => new(Due, $"{a.Id}:{(soon ? a.Revision : at.UtcTicks)}", Json.Write(new Looked(a.Id, at)), NotBefore: soon ? null : at);

    public sealed record Looked(string Alarm, DateTimeOffset At);

    /// <param name="state">Null leaves it as it is.</param>
    /// <param name="due">When to look again; null for not.</param>
    /// <exception cref="ConflictException">It changed meanwhile.</exception>
    public static async ValueTask Apply(Services s, Loaded<Alarm> was, string? state, string reason, JsonObject data, DateTimeOffset? due, string actor = "", string request = "")
    {
        var (a, changes) = (was.Item, state is not null && (state != was.Item.State || was.Item.RepeatActions));
        // One look that is still to come is enough: it finds out when the next must be.
        if (!changes && (due == a.Due && !(due <= s.Now) || due is not null && a.Due > s.Now && a.Due <= due)) return;
        var (next, ops, messages) = (a with { Due = due }, new List<Op>(), new List<Message>());
        if (changes)
        {
            next = next with { State = state!, StateReason = reason.Length > 500 ? reason[..500] : reason, StateAt = state == a.State ? a.StateAt : s.Now };
            if (state != a.State) ops = await Changes.Of(s, a, "state transition", new() { ["state"] = state, ["transition_reason"] = next.StateReason }, actor);
            var n = 0;
            foreach (var action in a.ActionsOf(state!).Where(x => x.StartsWith("http", StringComparison.Ordinal)))
                messages.Add(new(Notices.Queue, $"{a.Id}.{a.Revision + 1}.{n}", Json.Write(new Notice
                {
                    Alarm = a.Id, Project = a.ProjectId, Action = action, Id = $"{a.Id}.{a.Revision + 1}.{n++}",
                    Body = new JsonObject { ["alarm_name"] = a.Name, ["alarm_id"] = a.Id, ["severity"] = a.Severity, ["previous"] = a.State, ["current"] = state, ["reason"] = next.StateReason, ["reason_data"] = data }.ToJsonString(),
                })));
        }
        if (due is { } at && (a.Due is null || a.Due <= s.Now || at < a.Due)) messages.Add(Look(next, at));
        else if (due is not null) next = next with { Due = a.Due };
        await Alarm.Rows.Save(s, next, was, new Change(actor, request), ops, messages);
    }

    public static string Text(double v) => v.ToString("R", CultureInfo.InvariantCulture);
}
