using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Alarming;

/// <summary>Alarms on events of their project. Which projects have any is remembered for a moment, so that events of all others cost nothing.</summary>
internal sealed class EventAlarms(Services s)
{
    private const string Partition = "alarming.events";
    private static readonly ConditionalWeakTable<IEntityStore, EventAlarms> All = [];
    private readonly Remembered<HashSet<string>> _projects = new(s.Clock, TimeSpan.FromSeconds(10), async () => [.. (await s.Store.List(Partition, "", char.MaxValue.ToString())).Select(r => r.Key.Split('|')[0])]);

    public static EventAlarms Of(Services services) => All.GetValue(services.Store, _ => new(services));

    public async ValueTask Note(Alarm a, bool watches)
    {
        var key = $"{a.ProjectId}|{a.Id}";
        await s.Store.Commit(Partition, [watches ? new Op.Upsert(key, ReadOnlyMemory<byte>.Empty) : new Op.Delete(key)]);
        _projects.Forget();
    }

    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        // Its own events would be answered by events without end.
        if (e.ProjectId.Length == 0 || e.IsAlert || e.Type.StartsWith("cloud.serverless.alarming.", StringComparison.Ordinal) || !(await Of(s)._projects.Get()).Contains(e.ProjectId)) return;
        var (from, to) = Keys.Range(e.ProjectId + "|");
        foreach (var row in await s.Store.List(Partition, from, to, ct: ct)) await Look(s, row.Key.Split('|')[1], e, ct);
    }

    private static async ValueTask Look(Services s, string id, Event e, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (await Alarm.Rows.Find(s.Store, id, ct: ct) is not { Item: { Enabled: true, Type: "event" } a } was) return;
            var rule = (Rule.OfEvent)Rule.Of(a);
            if (a.State == "alarm" && !a.RepeatActions || !Glob(rule.Pattern, e.Type) || !rule.Conditions.All(c => Holds(c, e)) || !TimeConstraint.Within(a.TimeConstraints, s.Now)) return;
            // The same event again is no other reason.
            var reason = $"Event {e.Id} of type {e.Type} hits the query.";
            if (a.StateReason == reason && a.State == "alarm") return;
            try
            {
                await Transitions.Apply(s, was, "alarm", reason, new JsonObject { ["type"] = "event", ["event"] = new JsonObject { ["message_id"] = e.Id, ["event_type"] = e.Type, ["generated"] = e.Time.UtcDateTime.ToString("O"), ["resource_id"] = e.Subject, ["project_id"] = e.ProjectId } }, null);
                return;
            }
            catch (ConflictException) when (attempt < 20) { }
        }
    }

    private static bool Holds(Rule.Condition c, Event e)
    {
        if (Value(c.Field, e) is not { } value) return false;
        var order = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var a) && double.TryParse(c.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var b) ? a.CompareTo(b) : string.CompareOrdinal(value, c.Value);
        return c.Operator switch { "eq" => order == 0, "ne" => order != 0, "lt" => order < 0, "le" => order <= 0, "gt" => order > 0, _ => order >= 0 };
    }

    /// <summary>traits.NAME is a property of the resource as it is now (or was, when it is gone), project_id, user_id, request_id or resource_id; otherwise a path into the event.</summary>
    private static string? Value(string field, Event e)
    {
        if (!field.StartsWith("traits.", StringComparison.Ordinal)) return field.StartsWith("data.operator", StringComparison.Ordinal) ? null : Walk(e.Json, field.Split('.'));
        var name = field["traits.".Length..];
        switch (name)
        {
            case "project_id" or "tenant_id": return e.ProjectId;
            case "resource_id" or "instance_id": return e.Subject;
            case "user_id": return Walk(e.Data, ["actor"]);
            case "request_id": return Walk(e.Data, ["request_id"]);
        }
        var state = e.Data.TryGetProperty("after", out var after) && after.ValueKind == JsonValueKind.Object ? after : e.Data.TryGetProperty("before", out var before) ? before : default;
        var wanted = name.Replace("_", "", StringComparison.Ordinal);
        if (state.ValueKind != JsonValueKind.Object) return null;
        foreach (var p in state.EnumerateObject())
            if (p.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase)) return Walk(p.Value, []);
        return null;
    }

    private static string? Walk(JsonElement at, string[] path)
    {
        foreach (var name in path)
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
        return at.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined ? null : at.ToString();
    }

    private static bool Glob(string pattern, string text) => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\", StringComparison.Ordinal), text, ignoreCase: false);
}
