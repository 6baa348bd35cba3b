using Cloud.Agents.Contract;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>A virtual machine. Written by requests and sagas; shown by <see cref="ServerView"/>.</summary>
public sealed record Server : Resource
{
    [Field(Filter = true, Sort = true, WriteOnly = true, Wire = "uuid")] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(Sort = true, WriteOnly = true, Wire = "display_name")] public string Name { get; init; } = "";
    [Field(Sort = true, WriteOnly = true, Wire = "created_at")] public DateTimeOffset Made => CreatedAt;
    public string? Description { get; init; }
    public string UserId { get; init; } = "";
    /// <summary>BUILD, ACTIVE, SHUTOFF, PAUSED, REBOOT, HARD_REBOOT or ERROR.</summary>
    public string Status { get; init; } = "BUILD";
    public string? Task { get; init; } = "scheduling";
    /// <summary>What the guest is meant to be.</summary>
    public PowerState Power { get; init; } = PowerState.Running;
    public string? Fault { get; init; }
    public DateTimeOffset? FaultAt { get; init; }
    public string? ImageId { get; init; }
    public FlavorOf Flavor { get; init; } = new("", "", 0, 0, 0, []);
    [OperatorOnly] public string Host { get; init; } = "";
    [OperatorOnly] public string? WantedHost { get; init; }
    public string Zone { get; init; } = "";
    public string Hostname { get; init; } = "";
    public string? KeyName { get; init; }
    public string? PublicKey { get; init; }
    [Secret] public string? UserData { get; init; }
    [Secret] public string? AdminPass { get; init; }
    public Dictionary<string, string> Metadata { get; init; } = [];
    public string[] Tags { get; init; } = [];
    public string[]? Groups { get; init; }
    public bool ConfigDrive { get; init; }
    public bool Locked { get; init; }
    public string? LockedReason { get; init; }
    public string ReservationId { get; init; } = "";
    public int LaunchIndex { get; init; }
    public string DiskConfig { get; init; } = "MANUAL";
    public string AccessIPv4 { get; init; } = "";
    public string AccessIPv6 { get; init; } = "";
    public DateTimeOffset? LaunchedAt { get; init; }
    public NicOf[] Nics { get; init; } = [];
    public VolumeOf[] Volumes { get; init; } = [];
    public bool SoftReboot { get; init; }
}

/// <summary>The flavor as it was when the server was made. Memory in MiB, disk in GiB.</summary>
public sealed record FlavorOf(string Id, string Name, int Vcpus, int Ram, int Disk, Dictionary<string, string> ExtraSpecs);

/// <param name="Made">The port was made for this server and goes with it.</param>
/// <param name="State">attaching, attached or detaching.</param>
public sealed record NicOf(string PortId, string? NetworkId, string? FixedIp, bool Made, string State = "attaching");

public sealed record VolumeOf(string VolumeId, string Device, bool DeleteOnTermination, string State = "attaching", string? Tag = null);
