using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;
using Cloud.Telemetry;

namespace Cloud.Alarming;

/// <summary>
/// Looks at alarms when there is something to see: samples of a metric came, the alarm was defined, or its data became too old. One for which nothing comes
/// costs nothing. Aodh's arithmetic: the last points within as many periods and one more must all be outside the threshold, or all inside.
/// </summary>
internal static class Evaluation
{
    /// <param name="State">ok, alarm, or insufficient data; null when some points say this and some that.</param>
    /// <param name="Expires">When the oldest point that was looked at will be too old.</param>
    private sealed record Finding(string? State, string? Trend, int Points, int Outside, double? Recent, DateTimeOffset? Expires, string Why);

    public static async Task OnArrival(Services s, Delivery d, CancellationToken ct)
    {
        foreach (var watcher in await Facade.Watchers(s, Facade.Read(d.Message.Body), ct)) await Look(s, watcher, ct);
    }

    public static async Task OnDue(Services s, Delivery d, CancellationToken ct) => await Look(s, Json.Read<Transitions.Looked>(d.Message.Body).Alarm, ct);

    private static async ValueTask Look(Services s, string id, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (await Alarm.Rows.Find(s.Store, id, ct: ct) is not { Item: { Enabled: true, Type: not "event" } a } was) return;
            try
            {
                if (!TimeConstraint.Within(a.TimeConstraints, s.Now))
                {
                    // Whatever comes now changes nothing: it is looked at again when its time comes.
                    await Transitions.Apply(s, was, null, "", [], TimeConstraint.Next(a.TimeConstraints, s.Now));
                    return;
                }
                var f = await Find(s, Rule.Of(a), ct);
                var state = f.State ?? (a.State == "insufficient data" ? f.Trend : null) ?? a.State;
                var data = new JsonObject { ["type"] = a.Type == "composite" ? "composite" : "threshold", ["disposition"] = f.State is "insufficient data" ? "unknown" : state == "ok" ? "inside" : "outside", ["count"] = state == "ok" ? f.Points - f.Outside : f.Outside, ["most_recent"] = f.Recent };
                var reason = f.State == "insufficient data" ? f.Why
                    : $"{(state == a.State ? $"Remaining as {state}" : $"Transition to {state}")} due to {data["count"]} samples {data["disposition"]} threshold, most recent: {(f.Recent is { } r ? Transitions.Text(r) : "None")}";
                await Transitions.Apply(s, was, state, reason, data, f.State == "insufficient data" ? null : f.Expires);
                return;
            }
            catch (ConflictException) when (attempt < 20) { }
        }
    }

    private static async ValueTask<Finding> Find(Services s, Rule rule, CancellationToken ct)
    {
        if (rule is Rule.Threshold t) return await Of(s, t, ct);
        var (all, parts) = (((Rule.Composite)rule).All, new List<Finding>());
        foreach (var part in ((Rule.Composite)rule).Parts) parts.Add(await Find(s, part, ct));
        // What decides the whole alone: one that is ok under "and", one that is alarm under "or".
        var (strong, weak) = all ? ("ok", "alarm") : ("alarm", "ok");
        var states = parts.Select(p => p.State ?? p.Trend).ToList();
        var state = states.Contains(strong) ? strong : states.Contains("insufficient data") ? "insufficient data" : weak;
        return new(state, null, parts.Sum(p => p.Points), parts.Sum(p => p.Outside), parts[^1].Recent, parts.Min(p => p.Expires), "Some of its rules have too few datapoints");
    }

    private static async ValueTask<Finding> Of(Services s, Rule.Threshold rule, CancellationToken ct)
    {
        var (step, now) = (TimeSpan.FromSeconds(rule.Question.Granularity), s.Now);
        var window = step * (rule.Periods + 1);
        var points = (await Facade.Answer(s, rule.Question, now - window, now.AddTicks(10), ct))?.TakeLast(rule.Periods).ToList() ?? [];
        if (points.Count < rule.Periods) return new("insufficient data", null, points.Count, 0, points.Count > 0 ? points[^1].Value : null, null, $"{rule.Periods} datapoints are unknown");
        var outside = points.Count(p => rule.Holds(p.Value));
        var state = outside == points.Count ? "alarm" : outside == 0 ? "ok" : null;
        // A span is looked at as long as any of it is in the window.
        return new(state, rule.Holds(points[^1].Value) ? "alarm" : "ok", points.Count, outside, points[^1].Value, points[0].At + step + window, "");
    }
}
