using System.ComponentModel.DataAnnotations;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>A receiver of events by HTTP: where it is, what it wants, and the keys that sign what it gets.</summary>
public sealed record Webhook : Resource
{
    public const string Active = "active", Paused = "paused", Disabled = "disabled";

    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(Filter = true)] public new string ProjectId { get => base.ProjectId; init => base.ProjectId = value; }
    [Field(In.Both, Filter = true, Sort = true), MaxLength(255)] public string Name { get; init; } = "";
    /// <summary>Often with a word in it that opens the door there: whoever reads events needn't know it.</summary>
    [Field(In.Both, Required = true), Secret] public string Url { get; init; } = "";
    /// <summary>Types of events, or beginnings that end in <c>.*</c>; none for all.</summary>
    [Field(In.Both)] public string[] Types { get; init; } = [];
    /// <summary>Kinds of resources, e.g. compute.server; none for all.</summary>
    [Field(In.Both)] public string[] Kinds { get; init; } = [];
    /// <summary>Ids of resources; none for all.</summary>
    [Field(In.Both)] public string[] Subjects { get; init; } = [];
    /// <summary>Gets the events of the whole cloud, with what only operators may see.</summary>
    [Field(In.Create, Policy = "events:webhook_all")] public bool AllProjects { get; init; }
    /// <summary>Of the whole cloud's events only those of these projects; none for all.</summary>
    [Field(In.Both, Policy = "events:webhook_all")] public string[] Projects { get; init; } = [];
    /// <summary>Events after this one are delivered; from now on where nothing was said.</summary>
    [Field(In.Create)] public string Cursor { get; init; } = "";
    [Field(Filter = true)] public string Status { get; init; } = Active;
    /// <summary>Why it is disabled.</summary>
    [Field] public string StatusReason { get; init; } = "";
    [Field(Sort = true)] public new DateTimeOffset CreatedAt { get => base.CreatedAt; init => base.CreatedAt = value; }
    [Field] public new DateTimeOffset? UpdatedAt { get => base.UpdatedAt; init => base.UpdatedAt = value; }
    /// <summary>The newest first; at most two.</summary>
    [Secret] public SigningKey[] Keys { get; init; } = [];

    /// <summary>Name of the log that it reads.</summary>
    public string Log => AllProjects ? "" : ProjectId;
    /// <summary>Whether its filters let such an event through.</summary>
    public bool Wants(string type, string subject, string project) =>
        !(type == GaveUp.Type && subject == Id) // or what can't be delivered would tell of itself, for ever
        && (Types.Length == 0 || Array.Exists(Types, t => OwnService.Matches(t, type)))
        && (Kinds.Length == 0 || Array.Exists(Kinds, k => type.StartsWith($"cloud.serverless.{k}.", StringComparison.Ordinal)))
        && (Subjects.Length == 0 || Subjects.Contains(subject))
        && (Projects.Length == 0 || Projects.Contains(project));

    public bool Wants(LogEntry entry) => entry.Event is { } e && Wants(e.GetProperty("type").GetString()!, e.GetProperty("subject").GetString()!, entry.Project);
}

/// <param name="Secret">As its holder has it: whsec_ and base64.</param>
public sealed record SigningKey(string Id, string Secret, DateTimeOffset CreatedAt)
{
    public override string ToString() => Id;
}
