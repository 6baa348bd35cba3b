using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>That hosts are to hold an image before anybody boots from it. Its id is the image's.</summary>
public sealed record CachedImage : Resource
{
    /// <summary>queued, cached, or failed when a host could not take it.</summary>
    public string Status { get; init; } = "queued";
    public long Bytes { get; init; }
    /// <summary>Which were up when it was asked for.</summary>
    [OperatorOnly] public string[] Hosts { get; init; } = [];
}
