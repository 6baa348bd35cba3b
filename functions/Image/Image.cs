using System.ComponentModel.DataAnnotations;
using Cloud.Platform.Blobs;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>An image and what is known of its bytes.</summary>
public sealed record Image : Resource
{
    [Field(In.Create)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Sort = true, Nullable = true), MaxLength(255)] public string? Name { get; init; }
    [Field(Sort = true)] public string Status { get; init; } = "queued";
    [Field(In.Both), AllowedValues("public", "private", "shared", "community")] public string Visibility { get; init; } = "shared";
    [Field(In.Both)] public bool Protected { get; init; }
    [Field(In.Both)] public bool OsHidden { get; init; }
    [Field(In.Both, Sort = true, Nullable = true), AllowedValues("raw", "qcow2", "iso", "vhd", "vhdx", "vmdk", "vdi", "ami", "ari", "aki", "ploop", null)] public string? DiskFormat { get; init; }
    [Field(In.Both, Sort = true, Nullable = true), AllowedValues("bare", "ovf", "ova", "ami", "ari", "aki", "docker", "compressed", null)] public string? ContainerFormat { get; init; }
    [Field(In.Both), Range(0, 1 << 20)] public int MinDisk { get; init; }
    [Field(In.Both), Range(0, 1 << 30)] public int MinRam { get; init; }
    [Field(Sort = true)] public long? Size { get; init; }
    [Field] public long? VirtualSize { get; init; }
    [Field] public string? Checksum { get; init; }
    [Field] public string? OsHashAlgo { get; init; }
    [Field] public string? OsHashValue { get; init; }
    [Field(In.Create), Length(1, 255)] public string Owner { get => ProjectId; init => ProjectId = value; }
    [Field(In.Both)] public string[] Tags { get; init; } = [];
    [Field(Sort = true, Wire = "created_at")] public DateTimeOffset Made => CreatedAt;
    [Field(Sort = true, Wire = "updated_at")] public DateTimeOffset Changed => UpdatedAt ?? CreatedAt;
    /// <summary>Whatever else clients say of it.</summary>
    public Dictionary<string, string> Properties { get; init; } = [];
    /// <summary>Projects it is shared with, and what they made of it: pending, accepted, rejected.</summary>
    public Dictionary<string, Member> Members { get; init; } = [];
    /// <summary>The name of its bytes in each of <see cref="Stores"/>; null until there are any.</summary>
    [OperatorOnly] public string? Blob { get; init; }
    [OperatorOnly] public string[] Stores { get; init; } = [];
    /// <summary>Bytes that wait for their import.</summary>
    [OperatorOnly] public Stored? Staged { get; init; }
    /// <summary>The last one.</summary>
    [OperatorOnly] public Import? Import { get; init; }

    /// <summary>Whether a project that doesn't own it may see it all the same.</summary>
    public bool IsFor(string? project) => Visibility is "public" or "community" || Visibility == "shared" && project is not null && Members.ContainsKey(project);
}

public sealed record Member(string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>Bytes that have come whole, and where they are.</summary>
public sealed record Stored(string Blob, BlobInfo Info);

/// <summary>Where bytes are on their way to.</summary>
/// <param name="Task">Its <see cref="ImageTask"/>.</param>
/// <param name="Left">Stores that wait for them; none when it has ended.</param>
/// <param name="Failed">Stores that didn't get them.</param>
public sealed record Import(string Task, string[] Left, string[] Failed);
