using System.Globalization;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Alarming;

/// <summary>One thing that happened to an alarm.</summary>
public sealed record AlarmChange
{
    public string Id { get; init; } = "";
    public string Alarm { get; init; } = "";
    /// <summary>creation, rule change, state transition.</summary>
    public string Type { get; init; } = "";
    public string Detail { get; init; } = "";
    public string Project { get; init; } = "";
    public string User { get; init; } = "";
    public DateTimeOffset At { get; init; }

    public void Write(System.Text.Json.Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("event_id", Id);
        w.WriteString("alarm_id", Alarm);
        w.WriteString("type", Type);
        w.WriteString("detail", Detail);
        w.WriteString("project_id", Project);
        w.WriteString("user_id", User);
        w.WriteString("on_behalf_of", Project);
        w.WriteString("timestamp", AodhDialect.Time(At));
        w.WriteEndObject();
    }

    public string? Read(string field) => field switch { "event_id" => Id, "alarm_id" => Alarm, "type" => Type, "project_id" or "on_behalf_of" => Project, "user_id" => User, "timestamp" => AodhDialect.Time(At), _ => null };
}

/// <summary>What happened to a project's alarms, written with it; the last few hundred of each are kept as long as the alarm.</summary>
internal static class Changes
{
    private const int Kept = 300, Batch = 40;

    private static string Prefix(string alarm) => $"alarm-change|{alarm}|";

    public static async ValueTask<List<Op>> Of(Services s, Alarm a, string type, JsonObject detail, string user)
    {
        var change = new AlarmChange { Id = s.Ids.New(), Alarm = a.Id, Type = type, Detail = detail.ToJsonString(), Project = a.ProjectId, User = user, At = s.Now };
        List<Op> ops = [new Op.Insert($"{Prefix(a.Id)}{change.At.UtcTicks.ToString("D19", CultureInfo.InvariantCulture)}|{change.Id}", Json.Write(change))];
        var (from, to) = Keys.Range(Prefix(a.Id));
        var there = await s.Store.List(a.ProjectId, from, to, Kept);
        if (there.Count == Kept) ops.AddRange(there.Take(Batch).Select(r => new Op.Delete(r.Key)));
        return ops;
    }

    /// <summary>Newest first; of all alarms when none is named.</summary>
    public static async ValueTask<List<AlarmChange>> List(IEntityStore store, string project, string? alarm, CancellationToken ct)
    {
        var (from, to) = Keys.Range(alarm is null ? "alarm-change|" : Prefix(alarm));
        return [.. (await store.List(project, from, to, ct: ct)).Select(r => Json.Read<AlarmChange>(r.Body)).OrderByDescending(c => c.At).ThenByDescending(c => c.Id, StringComparer.Ordinal)];
    }

    public static async ValueTask<IReadOnlyList<Op>> Removal(IEntityStore store, Alarm a, CancellationToken ct)
    {
        var (from, to) = Keys.Range(Prefix(a.Id));
        // What one group can't hold goes before.
        while (await store.List(a.ProjectId, from, to, 90, ct) is { } rows)
        {
            List<Op> ops = [.. rows.Select(r => new Op.Delete(r.Key))];
            if (rows.Count < 90) return ops;
            await store.Commit(a.ProjectId, ops, ct: ct);
        }
        return [];
    }
}
