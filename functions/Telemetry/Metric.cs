using System.Text.Json;
using System.Text.Json.Serialization;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Who made something: a user, in a project. Gnocchi shows both as one text.</summary>
internal sealed record Creator(string User, string Project)
{
    /// <summary>The cloud itself: what it makes from events and samples.</summary>
    public static readonly Creator Cloud = new("cloud", "");

    public static Creator Of(Call c) => new(c.Caller.UserId, c.User!.ProjectId ?? "");
    public override string ToString() => $"{User}:{Project}";

    public void Write(Utf8JsonWriter w)
    {
        w.WriteString("creator", ToString());
        w.WriteString("created_by_user_id", User);
        w.WriteString("created_by_project_id", Project);
    }
}

/// <summary>Something whose value is kept over time.</summary>
internal sealed record Metric
{
    public string Id { get; init; } = "";
    public string? Name { get; init; }
    public string? Unit { get; init; }
    public string Policy { get; init; } = "";
    public Creator Creator { get; init; } = Creator.Cloud;
    public string? Resource { get; init; }
    /// <summary>Whose partition it is in: <see cref="Home"/>.</summary>
    [JsonIgnore] public string Home { get; init; } = "";
    [JsonIgnore] public string ETag { get; init; } = "";

    /// <param name="policy">Null shows its name alone, as answers to writes do.</param>
    /// <param name="resource">Null shows the id alone.</param>
    public void Write(Utf8JsonWriter w, ArchivePolicy? policy, Action<Utf8JsonWriter>? resource = null)
    {
        w.WriteStartObject();
        w.WriteString("id", Id);
        Creator.Write(w);
        w.WriteString("name", Name);
        w.WriteString("unit", Unit);
        if (resource is null) w.WriteString("resource_id", Resource);
        else { w.WritePropertyName("resource"); resource(w); }
        if (policy is null) w.WriteString("archive_policy_name", Policy);
        else { w.WritePropertyName("archive_policy"); policy.Write(w); }
        w.WriteEndObject();
    }
}
