using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>How data that is not uploaded in one piece gets into an image, and what came of it.</summary>
public sealed record ImageTask : Resource
{
    [Field(Sort = true, WriteOnly = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(Sort = true, WriteOnly = true, Wire = "created_at")] public DateTimeOffset Made => CreatedAt;
    [Field(Sort = true, WriteOnly = true, Wire = "updated_at")] public DateTimeOffset Changed => UpdatedAt ?? CreatedAt;
    /// <summary>api_image_import, or import for one that makes its image too.</summary>
    [Field(Sort = true, WriteOnly = true)] public string Type { get; init; } = "api_image_import";
    /// <summary>processing, success or failure; then <see cref="Message"/> says why.</summary>
    [Field(Sort = true, WriteOnly = true)] public string Status { get; init; } = "processing";
    public string Message { get; init; } = "";
    /// <summary>What was asked for, as JSON; an address in it may be as good as a password.</summary>
    [Secret] public string Input { get; init; } = "{}";
    public string ImageId { get; init; } = "";
    public string RequestId { get; init; } = "";
    public string UserId { get; init; } = "";
    public Source From { get; init; } = new("");
    /// <summary>Without all of its stores it has failed, and leaves nothing in any.</summary>
    public bool AllMust { get; init; }
    /// <summary>When it is forgotten; null while it runs.</summary>
    [Field(Sort = true, WriteOnly = true)] public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>Where an import's data comes from.</summary>
/// <param name="Uri">Of web-download.</param>
/// <param name="ImageId">Of glance-download, with the region and the interface of its image service.</param>
public sealed record Source(string Method, string? Uri = null, string? ImageId = null, string? Region = null, string? Interface = null);
