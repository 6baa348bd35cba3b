using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloud.Telemetry;

/// <summary>A resource as Gnocchi means it: something that metrics are about, e.g. a server. As it is now, or as it was.</summary>
internal sealed record Subject
{
    public string Id { get; init; } = "";
    public string Type { get; init; } = "generic";
    /// <summary>The id as it was given.</summary>
    public string Original { get; init; } = "";
    public Creator Creator { get; init; } = Creator.Cloud;
    /// <summary>Whose it is, in the words of whoever made it.</summary>
    public string? User { get; init; }
    public string? Project { get; init; }
    /// <summary>Made by one who may speak for other projects: the one named sees it. Otherwise it is only a word, or anybody could fill anybody's lists.</summary>
    public bool Lent { get; init; }
    public DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public DateTimeOffset RevisionStart { get; init; }
    /// <summary>Until when it was so; null for how it is now.</summary>
    public DateTimeOffset? RevisionEnd { get; init; }
    /// <summary>How often it changed; of something past, which change ended it, from 1.</summary>
    public int Changes { get; init; }
    /// <summary>Tells apart the lives of one id.</summary>
    public string Born { get; init; } = "";
    /// <summary>Ids of its metrics by their names.</summary>
    public SortedDictionary<string, string> Metrics { get; init; } = [];
    /// <summary>Values of the type's attributes by their slots.</summary>
    public Dictionary<string, JsonElement> Values { get; init; } = [];
    /// <summary>Revision of the cloud's resource that it was made from; 0 for those that clients made.</summary>
    public long Seen { get; init; }
    [JsonIgnore] public string Home { get; init; } = "";
    [JsonIgnore] public string ETag { get; init; } = "";

    /// <summary>Gnocchi's number of a revision: -1 for how it is now.</summary>
    [JsonIgnore] public int Revision => RevisionEnd is null ? -1 : Changes;

    /// <summary>What a client sees under a name, for showing, filtering and sorting; times as <see cref="DateTimeOffset"/>.</summary>
    /// <returns>False when there is no such attribute.</returns>
    public bool Read(string name, ResourceType type, out object? value)
    {
        value = name switch
        {
            "id" => Id,
            "type" => Type,
            "original_resource_id" => Original,
            "creator" => Creator.ToString(),
            "created_by_user_id" => Creator.User,
            "created_by_project_id" => Creator.Project,
            "user_id" => User,
            "project_id" => Project,
            "started_at" => StartedAt,
            "ended_at" => EndedAt,
            "revision_start" => RevisionStart,
            "revision_end" => RevisionEnd,
            "revision" => (double)Revision,
            "lifespan" => EndedAt is { } end ? (end - StartedAt).TotalSeconds : null,
            _ => type,
        };
        if (!ReferenceEquals(value, type)) return true;
        if (Array.Find(type.Attributes, a => a.Name == name) is not { } attribute) return false;
        value = Plain(attribute, Of(attribute));
        return true;
    }

    private JsonElement? Of(ResourceAttribute a) => Values.TryGetValue(a.Slot, out var v) ? v : a.Fill;

    private static object? Plain(ResourceAttribute a, JsonElement? value) => value is not { } v ? null : v.ValueKind switch
    {
        JsonValueKind.String => a.Type == "datetime" ? v.GetDateTimeOffset() : v.GetString(),
        JsonValueKind.Number => v.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <param name="type">Attributes shown: its own type's, or none but the generic ones.</param>
    /// <param name="only">Null or empty for all.</param>
    public void Write(Utf8JsonWriter w, ResourceType type, IReadOnlyList<string>? only = null)
    {
        bool Shown(string name) => only is not { Count: > 0 } || only.Contains(name);
        w.WriteStartObject();
        foreach (var name in (ReadOnlySpan<string>)["id", "type", "creator", "created_by_user_id", "created_by_project_id", "original_resource_id", "user_id", "project_id", "started_at", "ended_at", "revision_start", "revision_end"])
            if (Shown(name) && Read(name, type, out var v))
            {
                if (v is DateTimeOffset t) w.WriteString(name, Times.Show(t));
                else w.WriteString(name, (string?)v);
            }
        if (Shown("metrics"))
        {
            w.WriteStartObject("metrics");
            foreach (var (name, id) in Metrics) w.WriteString(name, id);
            w.WriteEndObject();
        }
        foreach (var a in type.Attributes)
        {
            if (!Shown(a.Name)) continue;
            w.WritePropertyName(a.Name);
            if (Of(a) is { } v) v.WriteTo(w);
            else w.WriteNullValue();
        }
        w.WriteEndObject();
    }
}
