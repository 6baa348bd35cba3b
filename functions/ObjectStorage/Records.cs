using Cloud.Platform.Blobs;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>What a project's account is, once anything was said of it.</summary>
public sealed record Account : Resource
{
    /// <summary>X-Account-Meta-*, without the prefix.</summary>
    public Dictionary<string, string> Meta { get; init; } = [];
    /// <summary>Those of them that open something: Temp-Url-Key.</summary>
    [Secret] public Dictionary<string, string> Keys { get; init; } = [];
}

/// <summary>Something with a name of its owner's choice, listed in the order of names.</summary>
public interface INamed
{
    string Name { get; }
}

public sealed record Container : Resource, INamed
{
    public string Name { get; init; } = "";
    public Dictionary<string, string> Meta { get; init; } = [];
    [Secret] public Dictionary<string, string> Keys { get; init; } = [];
    /// <summary>Who else may read and who may write, as Swift writes access lists; empty for nobody.</summary>
    public string Read { get; init; } = "";
    public string Write { get; init; } = "";
    /// <summary>Container that gets what is overwritten here, and how: X-Versions-Location or X-History-Location.</summary>
    public string? Archive { get; init; }
    public bool History { get; init; }
    /// <summary>X-Container-Sync-To: the container that changes here are carried to; and the key that it and this one have in common.</summary>
    public string? SyncTo { get; init; }
    [Secret] public string? SyncKey { get; init; }
    /// <summary>Another container may follow this one, or this one another.</summary>
    public bool IsSynced => SyncKey is not null;
    /// <summary>X-Versions-Enabled; null when it never was.</summary>
    public bool? Versioning { get; init; }
    /// <summary>Of the last change.</summary>
    public DateTimeOffset Changed => UpdatedAt ?? CreatedAt;
}

public sealed record StoredObject : Resource, INamed
{
    public string Name { get; init; } = "";
    public string Container { get; init; } = "";
    public string ContainerId { get; init; } = "";
    /// <summary>As clients see it; a manifest's is that of all its segments.</summary>
    public long Size { get; init; }
    /// <summary>What it takes itself.</summary>
    public long Bytes { get; init; }
    /// <summary>MD5 in lower-case hex; of a static manifest, that of its segments' ETags.</summary>
    public string ETag { get; init; } = "";
    public string ContentType { get; init; } = "application/octet-stream";
    public DateTimeOffset Modified { get; init; }
    /// <summary>X-Object-Meta-*, without the prefix.</summary>
    public Dictionary<string, string> Meta { get; init; } = [];
    /// <summary>Other headers that go out as they came: Content-Encoding and the like.</summary>
    public Dictionary<string, string> Headers { get; init; } = [];
    /// <summary>Its bytes are a list of segments.</summary>
    public bool IsManifest { get; init; }
    public DateTimeOffset? DeleteAt { get; init; }
    /// <summary>What it stands for; null for an ordinary object.</summary>
    public Link? Link { get; init; }
    /// <summary>Of a container with X-Versions-Enabled: when this version came (ticks, never twice for one name), whether another is the current one, and whether it says that there is nothing.</summary>
    public long? Version { get; init; }
    public bool IsPast { get; init; }
    public bool IsDeleteMarker { get; init; }
    /// <summary>Where its bytes are; null when it has none.</summary>
    [OperatorOnly] public BlobAt? Blob { get; init; }
}

/// <summary>A replicated blob; several objects of one account may name the same.</summary>
public sealed record BlobAt(string Name, long Bytes, string Md5, string Sha256)
{
    public SealedBlob Sealed => new(Bytes, Md5, Sha256);
    /// <summary>Names hold the account, so that the auditor finds who might need one.</summary>
    public static string NewName(Platform.Services s, string project) => $"{s.Ids.New()}.{project}";
}

/// <summary>What a symbolic link points at.</summary>
/// <param name="Account">Null for the link's own.</param>
/// <param name="ETag">That the target must have; null for any.</param>
public sealed record Link(string Container, string Object, string? Account = null, string? ETag = null);
