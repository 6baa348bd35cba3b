using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>A disk of its own. It is on a host from its first attachment on; before, nothing but this row exists.</summary>
public sealed record Volume : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Nullable = true), MaxLength(255)] public string? Name { get; init; }
    [Field(In.Both, WriteOnly = true, Nullable = true, Sort = true), MaxLength(255), JsonIgnore] public string? DisplayName { get => Name; init => Name = value; }
    [Field(In.Both, Detail = true, Nullable = true), MaxLength(255)] public string? Description { get; init; }
    [Field(In.Both, WriteOnly = true, Nullable = true), MaxLength(255), JsonIgnore] public string? DisplayDescription { get => Description; init => Description = value; }
    /// <summary>GiB.</summary>
    [Field(In.Create, Filter = true, Sort = true, Detail = true, Nullable = true)] public int? Size { get; init; }
    [Field(Filter = true, Sort = true, Detail = true)] public string Status { get; init; } = "creating";
    [Field(In.Create, Filter = true, Sort = true, Detail = true, Nullable = true)] public string? AvailabilityZone { get; init; } = "nova";
    [Field(In.Create, Filter = true, Detail = true, Nullable = true)] public string? VolumeType { get; init; } = VolumeTypes.Default;
    [Field(Since = "3.63", Detail = true)] public string? VolumeTypeId { get; init; }
    [Field(In.Create, Filter = true, Detail = true, Nullable = true)] public string? SnapshotId { get; init; }
    [Field(In.Create, Filter = true, Detail = true, Nullable = true)] public string? SourceVolid { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true, Wire = "imageRef"), JsonIgnore] public string? ImageRef { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true, Wire = "image_id"), JsonIgnore] public string? ImageRefToo { get => ImageRef; init => ImageRef = value; }
    [Field(In.Create, WriteOnly = true, Nullable = true), JsonIgnore] public string? BackupId { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true), JsonIgnore] public string? SourceReplica { get; init; }
    [Field(In.Both, WriteOnly = true)] public Dictionary<string, string> Metadata { get; init; } = [];
    [Field(In.Create, Detail = true, Nullable = true)] public string? ConsistencygroupId { get; init; }
    [Field(In.Create, Since = "3.13", Detail = true, Nullable = true)] public string? GroupId { get; init; }
    [Field(Detail = true)] public bool Encrypted { get; init; }
    [Field(In.Create, Detail = true, Nullable = true)] public bool? Multiattach { get; init; } = false;
    [Field(Detail = true)] public string? ReplicationStatus { get; init; }
    [Field(Detail = true, Policy = "volume:host_attribute")] public string? MigrationStatus { get; init; }
    [Field(Detail = true)] public string UserId { get; init; } = "";
    [Field(Detail = true, Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [Field(Detail = true, Wire = "updated_at", Sort = true)] public DateTimeOffset? Changed => UpdatedAt;
    [Field(Detail = true, Wire = "bootable", Filter = true, Sort = true)] public string Bootable => BootFlag ?? ImageId is not null ? "true" : "false";
    [Field(Detail = true, Policy = "volume:host_attribute", Since = "3.21")] public string? ProviderId => null;
    [Field(Detail = true, Since = "3.48")] public string? ServiceUuid => null;
    [Field(Detail = true, Since = "3.48")] public bool SharedTargets => false;
    [Field(Detail = true, Policy = "volume:host_attribute", Since = "3.61")] public string? ClusterName => null;
    [Field(Detail = true, Since = "3.65")] public bool ConsumesQuota => true;
    /// <summary>What the client said about booting from it; null: it does if it came from an image.</summary>
    public bool? BootFlag { get; init; }
    /// <summary>Whether guests may write on it; null: nobody ever said.</summary>
    public bool? ReadOnly { get; init; }
    public string? ImageId { get; init; }
    /// <summary>What was known of the image when the volume was made from it; null when it wasn't.</summary>
    public Dictionary<string, string>? ImageMetadata { get; init; }
    [OperatorOnly] public string Host { get; init; } = "";
    /// <summary>A server has had it, or it is a copy: there are bytes on its host to keep. From then on its image may go.</summary>
    public bool HasBytes { get; init; }
    public Attachment? Attachment { get; init; }
    /// <summary>Its snapshots go with it.</summary>
    public bool Cascade { get; init; }
    public int OldSize { get; init; }

    public long Bytes => (long)(Size ?? 0) << 30;
}

/// <param name="ByCompute">A guest has it, so only compute may end it. False: a client keeps the books itself (os-attach).</param>
public sealed record Attachment(string Id, string? ServerId, string Device, DateTimeOffset At, bool ByCompute = true, string? HostName = null);

public sealed record Snapshot : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Nullable = true), MaxLength(255)] public string? Name { get; init; }
    [Field(In.Both, WriteOnly = true, Nullable = true, Sort = true), MaxLength(255), JsonIgnore] public string? DisplayName { get => Name; init => Name = value; }
    [Field(In.Both, Nullable = true), MaxLength(255)] public string? Description { get; init; }
    [Field(In.Both, WriteOnly = true, Nullable = true), MaxLength(255), JsonIgnore] public string? DisplayDescription { get => Description; init => Description = value; }
    [Field(In.Create, Filter = true, Required = true, Nullable = true)] public string VolumeId { get; init => field = value ?? ""; } = "";
    [Field(In.Create, WriteOnly = true), JsonIgnore] public bool Force { get; init; }
    [Field(In.Create, Nullable = true)] public Dictionary<string, string>? Metadata { get; init; } = [];
    [Field(Filter = true, Sort = true)] public string Status { get; init; } = "creating";
    /// <summary>What somebody who keeps the books himself said of it.</summary>
    public string? Progress { get; init; }
    [Field] public int Size { get; init; }
    [Field(Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [Field(Wire = "updated_at", Sort = true)] public DateTimeOffset? Changed => UpdatedAt;
    [Field(Since = "3.14")] public string? GroupSnapshotId => null;
    [Field(Since = "3.41")] public string UserId { get; init; } = "";
    [Field(Since = "3.65")] public bool ConsumesQuota => true;
    /// <summary>Empty while the volume had no bytes of its own yet.</summary>
    [OperatorOnly] public string Host { get; init; } = "";
    public string? ImageId { get; init; }
    public Dictionary<string, string>? ImageMetadata { get; init; }
}

public sealed record VolumeType : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    // Clients that change only the description send null.
    [Field(In.Both, Required = true, Filter = true, Sort = true, Nullable = true), Length(1, 255)] public string Name { get; init => field = value ?? field; } = "";
    [Field(In.Both, Nullable = true), MaxLength(255)] public string? Description { get; init; }
    [Field(In.Create, Nullable = true)] public Dictionary<string, string>? ExtraSpecs { get; init; } = [];
    [Field(In.Create, WriteOnly = true, Wire = "os-volume-type-access:is_public"), JsonIgnore] public bool IsPublicAccess { get => IsPublic; init => IsPublic = value; }
    [Field(In.Update)] public bool IsPublic { get; init; } = true;
    /// <summary>Projects that may use a type that isn't public.</summary>
    public string[] Projects { get; init; } = [];
}
