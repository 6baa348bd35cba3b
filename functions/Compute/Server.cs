using Cloud.Agents.Contract;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>A virtual machine. Written by requests and sagas; shown by <see cref="ServerView"/>.</summary>
public sealed record Server : Resource
{
    [Field(Sort = true, WriteOnly = true, Wire = "uuid")] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(Sort = true, WriteOnly = true, Wire = "display_name")] public string Name { get; init; } = "";
    [Field(Sort = true, WriteOnly = true, Wire = "created_at")] public DateTimeOffset Made => CreatedAt;
    [Field(Sort = true, WriteOnly = true, Wire = "updated_at")] public DateTimeOffset Changed => UpdatedAt ?? CreatedAt;
    [Field(Sort = true, WriteOnly = true)] public string VmState => ServerView.VmState(this);
    [Field(Sort = true, WriteOnly = true, Wire = "display_description")] public string? Description { get; init; }
    [Field(Sort = true, WriteOnly = true)] public string UserId { get; init; } = "";
    /// <summary>BUILD, ACTIVE, SHUTOFF, PAUSED, REBOOT, HARD_REBOOT or ERROR.</summary>
    public string Status { get; init; } = "BUILD";
    [Field(Sort = true, WriteOnly = true, Wire = "task_state")] public string? Task { get; init; } = "scheduling";
    /// <summary>What the guest is meant to be.</summary>
    public PowerState Power { get; init; } = PowerState.Running;
    public string? Fault { get; init; }
    public DateTimeOffset? FaultAt { get; init; }
    [Field(Sort = true, WriteOnly = true, Wire = "image_ref")] public string? ImageId { get; init; }
    public FlavorOf Flavor { get; init; } = new("", "", 0, 0, 0, []);
    [OperatorOnly] public string Host { get; init; } = "";
    [OperatorOnly] public string? WantedHost { get; init; }
    [Field(Sort = true, WriteOnly = true, Wire = "availability_zone")] public string Zone { get; init; } = "";
    [Field(Sort = true, WriteOnly = true)] public string Hostname { get; init; } = "";
    [Field(Sort = true, WriteOnly = true)] public string? KeyName { get; init; }
    public string? PublicKey { get; init; }
    [Secret] public string? UserData { get; init; }
    [Secret] public string? AdminPass { get; init; }
    public Dictionary<string, string> Metadata { get; init; } = [];
    public string[] Tags { get; init; } = [];
    public string[]? Groups { get; init; }
    /// <summary>As the client named them.</summary>
    public string[] GroupNames { get; init; } = [];
    public bool ConfigDrive { get; init; }
    [Field(Sort = true, WriteOnly = true, Since = "2.73")] public bool Locked { get; init; }
    public string? LockedReason { get; init; }
    /// <summary>By an administrator of another project: the owner can't undo it.</summary>
    public bool LockedByAdmin { get; init; }
    public string ReservationId { get; init; } = "";
    [Field(Sort = true, WriteOnly = true)] public int LaunchIndex { get; init; }
    public string DiskConfig { get; init; } = "MANUAL";
    public string AccessIPv4 { get; init; } = "";
    public string AccessIPv6 { get; init; } = "";
    [Field(Sort = true, WriteOnly = true)] public DateTimeOffset? LaunchedAt { get; init; }
    public NicOf[] Nics { get; init; } = [];
    public VolumeOf[] Volumes { get; init; } = [];
    public bool SoftReboot { get; init; }
    /// <summary>Fence of the last command for the guest that its host carried out; what the host saw of it before is old.</summary>
    [OperatorOnly] public long Heard { get; init; }
    /// <summary>When the host last saw the guest change by itself, by the host's clock.</summary>
    [OperatorOnly] public DateTimeOffset? SeenAt { get; init; }
}

/// <summary>The flavor as it was when the server was made. Memory in MiB, disk in GiB.</summary>
public sealed record FlavorOf(string Id, string Name, int Vcpus, int Ram, int Disk, Dictionary<string, string> ExtraSpecs);

/// <param name="Made">The port was made for this server and goes with it.</param>
/// <param name="State">attaching, attached or detaching.</param>
public sealed record NicOf(string PortId, string? NetworkId, string? FixedIp, bool Made, string State = "attaching");

public sealed record VolumeOf(string VolumeId, string Device, bool DeleteOnTermination, string State = "attaching", string? Tag = null);
