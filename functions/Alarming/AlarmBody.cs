using System.Text.Json;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;

namespace Cloud.Alarming;

/// <summary>Reads an alarm from a body; what the service itself says of one is ignored, as clients send back what they got.</summary>
internal static class AlarmBody
{
    private const int MostActions = 10;
    private static readonly string[] Ours = ["alarm_id", "project_id", "user_id", "timestamp", "state_timestamp", "state_reason", "evaluate_timestamp", "links"];
    private static readonly string[] Severities = ["low", "moderate", "critical"];

    /// <param name="was">The alarm to be changed; what the body leaves out is as in a new one, for updates are whole.</param>
    public static Alarm Read(Call c, Alarm blank, Alarm? was)
    {
        if (c.Json.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("The body must be an object that is an alarm.");
        string[] known = ["name", "description", "type", "enabled", "repeat_actions", "severity", "state", "time_constraints", "ok_actions", "alarm_actions", "insufficient_data_actions", .. Ours, .. Rule.Types.Select(t => t + "_rule")];
        string? Text(string name, int most) => !c.Json.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? null
            : v.ValueKind == JsonValueKind.String && v.GetString()!.Length <= most ? v.GetString() : throw AodhDialect.Invalid(name, v.ToString(), $"A text of at most {most} characters.");
        bool Flag(string name, bool or) => !c.Json.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? or : Lenient.Boolean(v) ?? throw AodhDialect.Invalid(name, v.ToString(), "Not a boolean.");
        string One(string name, string or, string[] of) => Text(name, 100) is not { } text ? or : of.Contains(text) ? text : throw AodhDialect.Invalid(name, text, $"Value should be one of: {string.Join(", ", of)}");
        var type = Text("type", 100) ?? throw AodhDialect.Invalid("type", null, "Mandatory field missing.");
        if (!Rule.Types.Contains(type)) throw AodhDialect.Invalid("type", type, $"Value should be one of: {string.Join(", ", Rule.Types)}");
        AodhDialect.OnlyKnows(c.Json, known);
        var given = Rule.Types.Where(t => c.Json.TryGetProperty(t + "_rule", out var r) && r.ValueKind != JsonValueKind.Null).ToList();
        if (!given.Contains(type)) throw Fault.BadRequest($"{type}_rule must be set for {type} type alarm");
        if (given.Count > 1) throw Fault.BadRequest($"{given[0]}_rule and {given[1]}_rule cannot be set at the same time");
        var (project, user) = (Owner(c, "project", Text("project_id", 64), blank.ProjectId), Owner(c, "user", Text("user_id", 64), blank.UserId));
        if (was is not null && project != was.ProjectId) throw Fault.BadRequest("An alarm stays in its project.");
        return blank with
        {
            ProjectId = project,
            UserId = user,
            TimeConstraints = TimeConstraint.Read(c.Json.TryGetProperty("time_constraints", out var times) ? times : default),
            Name = Text("name", 255) is { Length: > 0 } name ? name : throw AodhDialect.Invalid("name", null, "Mandatory field missing."),
            Description = Text("description", 1000),
            Type = type,
            Rule = Rule.Read(type, c.Json.GetProperty(type + "_rule"), project).Whole,
            Enabled = Flag("enabled", true),
            RepeatActions = Flag("repeat_actions", false),
            Severity = One("severity", "low", Severities),
            State = One("state", was?.State ?? "insufficient data", Alarm.States),
            OkActions = Actions(c, "ok_actions"),
            AlarmActions = Actions(c, "alarm_actions"),
            InsufficientDataActions = Actions(c, "insufficient_data_actions"),
        };
    }

    /// <summary>Whose it is to be: somebody else's only for who may see everybody's.</summary>
    private static string Owner(Call c, string aspect, string? asked, string own) => asked is not { Length: > 0 } || asked == own || c.Allows("alarming:get_all", default) ? asked is { Length: > 0 } ? asked : own
        : throw new Fault(401, $"Not Authorized to access {aspect} {asked}"); // Aodh's status for it

    private static string[] Actions(Call c, string name)
    {
        if (!c.Json.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null) return [];
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MostActions) throw AodhDialect.Invalid(name, null, $"A list of at most {MostActions} addresses.");
        return [.. list.EnumerateArray().Select(a => Action(c, a.ValueKind == JsonValueKind.String ? a.GetString()! : a.ToString())).Distinct()];
    }

    private static string Action(Call c, string action)
    {
        if (action.StartsWith("log://", StringComparison.Ordinal))
        {
            // Aodh's status for it.
            if (!c.Allows("alarming:log_action", default)) throw new Fault(401, $"You are not authorized to create action: {action[..Math.Min(action.Length, 100)]}");
            return action.Length <= 255 ? action : throw AodhDialect.Invalid("actions", action, "Too long.");
        }
        if (!action.StartsWith("https://", StringComparison.Ordinal) && !action.StartsWith("http://", StringComparison.Ordinal)) throw Fault.BadRequest($"Unsupported action {action[..Math.Min(action.Length, 100)]}");
        try { c.Services.Outbound.Check(action); }
        catch (OutboundException e) { throw Fault.BadRequest($"Unsupported action: {e.Message}"); }
        return action;
    }
}
