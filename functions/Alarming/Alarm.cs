using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Alarming;

/// <summary>Something a project wants to be told of.</summary>
public sealed record Alarm : Resource
{
    public static readonly string[] States = ["ok", "alarm", "insufficient data"];
    public static readonly Rows<Alarm> Rows = new("alarm", "alarming");
    public static readonly Quota Quota = new("alarming", new Dictionary<string, long> { ["alarms"] = 200 });
    public static readonly Func<Alarm, Charge[]> Charges = Quota.CountsEach(Rows, "alarms");

    public string Name { get; init; } = "";
    public string? Description { get; init; }
    public string Type { get; init; } = "";
    /// <summary>As Aodh shows it: see <see cref="Rule"/>.</summary>
    public JsonElement Rule { get; init; }
    public bool Enabled { get; init; } = true;
    public bool RepeatActions { get; init; }
    public string Severity { get; init; } = "low";
    public string UserId { get; init; } = "";
    /// <summary>Addresses may hold secrets of their own.</summary>
    [Secret] public string[] OkActions { get; init; } = [];
    [Secret] public string[] AlarmActions { get; init; } = [];
    [Secret] public string[] InsufficientDataActions { get; init; } = [];
    public TimeConstraint[] TimeConstraints { get; init; } = [];
    /// <summary>When the definition changed last.</summary>
    public DateTimeOffset DefinedAt { get; init; }
    public string State { get; init; } = "insufficient data";
    public string StateReason { get; init; } = "Not evaluated yet";
    public DateTimeOffset StateAt { get; init; }
    /// <summary>When its data will be too old unless more comes: then it is looked at again. Null while nothing is to be waited for.</summary>
    [OperatorOnly] public DateTimeOffset? Due { get; init; }

    public string[] ActionsOf(string state) => state switch { "ok" => OkActions, "alarm" => AlarmActions, _ => InsufficientDataActions };

    public void Write(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("alarm_id", Id);
        w.WriteString("name", Name);
        w.WriteString("description", Description ?? Alarming.Rule.Describe(Type, Rule));
        w.WriteString("type", Type);
        w.WriteBoolean("enabled", Enabled);
        w.WriteBoolean("repeat_actions", RepeatActions);
        w.WriteString("severity", Severity);
        w.WriteString("project_id", ProjectId);
        w.WriteString("user_id", UserId);
        foreach (var state in States) w.Strings($"{state.Replace(' ', '_')}_actions", ActionsOf(state));
        w.WriteString("timestamp", AodhDialect.Time(DefinedAt));
        w.WriteString("state", State);
        w.WriteString("state_reason", StateReason);
        w.WriteString("state_timestamp", AodhDialect.Time(StateAt));
        w.WriteString("evaluate_timestamp", AodhDialect.Time(UpdatedAt ?? CreatedAt));
        w.Objects("time_constraints", TimeConstraints, t => t.Write(w));
        w.WritePropertyName(Type + "_rule");
        Rule.WriteTo(w);
        w.WriteEndObject();
    }

    /// <summary>A property by its name on the wire, for filters; null for none.</summary>
    public string? Read(string field) => field switch
    {
        "alarm_id" => Id,
        "name" => Name,
        "type" => Type,
        "project_id" => ProjectId,
        "user_id" => UserId,
        "state" => State,
        "severity" => Severity,
        "description" => Description,
        "enabled" => Enabled ? "true" : "false",
        "repeat_actions" => RepeatActions ? "true" : "false",
        "timestamp" => AodhDialect.Time(DefinedAt),
        "state_timestamp" => AodhDialect.Time(StateAt),
        _ => null,
    };
}
