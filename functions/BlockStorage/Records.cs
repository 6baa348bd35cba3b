using System.ComponentModel.DataAnnotations;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>A disk of its own. It is on a host from its first attachment on; before, nothing but this row exists.</summary>
public sealed record Volume : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Nullable = true), MaxLength(255)] public string? Name { get; init; } = "";
    [Field(In.Both, Detail = true, Nullable = true), MaxLength(255)] public string? Description { get; init; }
    /// <summary>GiB.</summary>
    [Field(In.Create, Filter = true, Sort = true, Detail = true, Nullable = true)] public int? Size { get; init; }
    [Field(Filter = true, Sort = true, Detail = true)] public string Status { get; init; } = "creating";
    [Field(In.Create, Filter = true, Detail = true, Nullable = true)] public string? AvailabilityZone { get; init; } = "nova";
    [Field(In.Create, Filter = true, Detail = true, Nullable = true)] public string? VolumeType { get; init; } = "local";
    [Field(In.Create, Filter = true, Detail = true, Nullable = true)] public string? SnapshotId { get; init; }
    [Field(In.Create, Detail = true, Nullable = true)] public string? SourceVolid { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true, Wire = "imageRef")] public string? ImageRef { get; init; }
    [Field(In.Create, WriteOnly = true, Nullable = true)] public string? BackupId { get; init; }
    [Field(In.Both, Detail = true)] public Dictionary<string, string> Metadata { get; init; } = [];
    [Field(In.Create, Detail = true, Nullable = true)] public string? ConsistencygroupId { get; init; }
    [Field(Detail = true)] public bool Encrypted { get; init; }
    [Field(In.Create, Detail = true, Nullable = true)] public bool? Multiattach { get; init; } = false;
    [Field(Detail = true)] public string? ReplicationStatus { get; init; }
    [Field(Detail = true)] public string? MigrationStatus { get; init; }
    [Field(Detail = true)] public string UserId { get; init; } = "";
    [Field(Detail = true, Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [Field(Detail = true, Wire = "updated_at", Sort = true)] public DateTimeOffset? Changed => UpdatedAt;
    [Field(Detail = true, Wire = "bootable", Filter = true)] public string Bootable => ImageId is null && !BootFlag ? "false" : "true";
    [Field(Detail = true, Wire = "os-vol-host-attr:host", Policy = "volume:host_attribute")] public string? HostAttribute => Host.Length > 0 ? Host + "@local" : null;
    [Field(Detail = true, Wire = "os-vol-tenant-attr:tenant_id")] public string TenantAttribute => ProjectId;
    public bool BootFlag { get; init; }
    public string? ImageId { get; init; }
    public string? ImageName { get; init; }
    [OperatorOnly] public string Host { get; init; } = "";
    /// <summary>A server has had it, or it is a copy: there are bytes on its host to keep.</summary>
    public bool HasBytes { get; init; }
    public Attachment? Attachment { get; init; }

    public long Bytes => (long)(Size ?? 0) << 30;
}

public sealed record Attachment(string Id, string ServerId, string Device, DateTimeOffset At);

public sealed record Snapshot : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Sort = true, Nullable = true), MaxLength(255)] public string? Name { get; init; } = "";
    [Field(In.Both, Nullable = true), MaxLength(255)] public string? Description { get; init; }
    [Field(In.Create, Filter = true, Required = true)] public string VolumeId { get; init; } = "";
    [Field(In.Create, WriteOnly = true)] public bool Force { get; init; }
    [Field(In.Create)] public Dictionary<string, string> Metadata { get; init; } = [];
    [Field(Filter = true, Sort = true)] public string Status { get; init; } = "creating";
    [Field] public int Size { get; init; }
    [Field(Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [Field(Wire = "updated_at")] public DateTimeOffset? Changed => UpdatedAt;
    [Field] public string UserId { get; init; } = "";
    [Field(Wire = "os-extended-snapshot-attributes:progress")] public string Progress => Status == "available" ? "100%" : "0%";
    [Field(Wire = "os-extended-snapshot-attributes:project_id")] public string Project => ProjectId;
    /// <summary>Empty while the volume had no bytes of its own yet.</summary>
    [OperatorOnly] public string Host { get; init; } = "";
    public string? ImageId { get; init; }
}

public sealed record VolumeType : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Required = true, Filter = true), Length(1, 255)] public string Name { get; init; } = "";
    [Field(In.Both, Nullable = true)] public string? Description { get; init; }
    [Field(In.Create)] public Dictionary<string, string> ExtraSpecs { get; init; } = [];
    [Field(In.Both, Wire = "os-volume-type-access:is_public")] public bool IsPublicAccess { get; init; } = true;
    [Field(In.Update, Wire = "is_public")] public bool IsPublic { get => IsPublicAccess; init => IsPublicAccess = value; }
    [Field] public string? QosSpecsId { get; init; }
}
