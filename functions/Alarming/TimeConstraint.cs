using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Alarming;

/// <summary>When an alarm is looked at: from each time of a cron expression on, so many seconds (Aodh's api-ref, AlarmTimeConstraint). One of an alarm's is enough; without any it is always.</summary>
/// <param name="Timezone">An IANA name; empty for UTC.</param>
public sealed record TimeConstraint(string Name, string Description, string Start, long Duration, string Timezone)
{
    private const int Most = 10;
    private const long Longest = 366 * 86_400;

    /// <exception cref="Fault">400.</exception>
    public static TimeConstraint[] Read(JsonElement list)
    {
        if (list.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return [];
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > Most) throw AodhDialect.Invalid("time_constraints", null, $"A list of at most {Most}.");
        TimeConstraint[] all = [.. list.EnumerateArray().Select(One)];
        return all.DistinctBy(t => t.Name).Count() == all.Length ? all : throw Fault.BadRequest("Time constraint names must be unique for a given alarm.");
    }

    private static TimeConstraint One(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) throw AodhDialect.Invalid("time_constraints", body.ToString(), "It must be an object.");
        AodhDialect.OnlyKnows(body, "name", "description", "start", "duration", "timezone");
        string? Text(string name) => !body.TryGetProperty(name, out var v) || v.ValueKind == JsonValueKind.Null ? null : v.ValueKind == JsonValueKind.String && v.GetString()!.Length <= 255 ? v.GetString() : throw AodhDialect.Invalid(name, v.ToString(), "A text of at most 255 characters.");
        string Must(string name) => Text(name) is { Length: > 0 } text ? text : throw AodhDialect.Invalid(name, null, "Mandatory field missing.");
        var (start, zone) = (Must("start"), Text("timezone") ?? "");
        if (Cron.Parse(start) is null) throw AodhDialect.Invalid("start", start, "Not a cron expression of five fields that ever comes.");
        if (zone.Length > 0 && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)) throw AodhDialect.Invalid("timezone", zone, "Not a timezone.");
        var duration = !body.TryGetProperty("duration", out var d) ? throw AodhDialect.Invalid("duration", null, "Mandatory field missing.")
            : long.TryParse(d.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= Longest ? seconds : throw AodhDialect.Invalid("duration", d.ToString(), $"Value should be from 0 to {Longest}");
        return new(Must("name"), Text("description") ?? "", start, duration, zone);
    }

    public static bool Within(TimeConstraint[] all, DateTimeOffset now) => all.Length == 0 || Array.Exists(all, t => t.Covers(now));

    /// <summary>When the next of them begins.</summary>
    public static DateTimeOffset? Next(TimeConstraint[] all, DateTimeOffset now) => all.Select(t => t.Following(now)).Min();

    private TimeZoneInfo Zone => Timezone.Length == 0 ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(Timezone);

    private bool Covers(DateTimeOffset now) => Cron.Parse(Start)!.Upto(TimeZoneInfo.ConvertTime(now, Zone).DateTime) is { } start && now <= At(start).AddSeconds(Duration);

    private DateTimeOffset? Following(DateTimeOffset now) => Cron.Parse(Start)!.After(TimeZoneInfo.ConvertTime(now, Zone).DateTime) is { } start ? At(start) : null;

    /// <summary>An hour that a change of the clocks leaves out counts as the next.</summary>
    private DateTimeOffset At(DateTime local) => Zone is var zone && zone.IsInvalidTime(local) ? At(local.AddHours(1)) : new(local, zone.GetUtcOffset(local));

    public void Write(Utf8JsonWriter w)
    {
        w.WriteString("name", Name);
        w.WriteString("description", Description);
        w.WriteString("start", Start);
        w.WriteNumber("duration", Duration);
        w.WriteString("timezone", Timezone);
    }
}
