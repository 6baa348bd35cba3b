using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloud.Agents.Contract;

/// <summary>One command on its way to a host.</summary>
/// <param name="Id">Message id; a command that is sent again keeps it.</param>
/// <param name="Fence">Revision of the resource when the command was made. A host refuses a fence lower than the highest it has seen for the key.</param>
/// <param name="ReplyTo">Opaque; comes back with the reply.</param>
public sealed record CommandMessage(string Id, string Host, long Fence, string ReplyTo, Command Command, string? Trace = null);

/// <summary>Everything a host says. Sent to the one replies queue under the host's own credential.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(CommandReply), "reply")]
[JsonDerivedType(typeof(Heartbeat), "heartbeat")]
[JsonDerivedType(typeof(Inventory), "inventory")]
[JsonDerivedType(typeof(DomainEvent), "domain")]
[JsonDerivedType(typeof(Samples), "samples")]
public abstract record HostMessage(string Host);

public enum Outcome { Done, Failed, Stale }

/// <summary>The end of one command.</summary>
/// <param name="Message">Why it failed, in words an operator can use; never shown to tenants as it is.</param>
/// <param name="Retry">Failed, but trying again may help.</param>
public sealed record CommandReply(string Host, string CommandId, string ReplyTo, string Key, long Fence, Outcome Outcome, Result? Result = null, string? Message = null, bool Retry = false) : HostMessage(Host);

/// <param name="Text">Console text.</param>
/// <param name="Bytes">Bytes on disk, where the command made or grew one.</param>
public sealed record Result(string? Text = null, long? Bytes = null);

/// <summary>Alive, with what the host can hold. Sent every few seconds; silence makes the host down.</summary>
public sealed record Heartbeat(string Host, string Boot, HostCapacity Capacity, long Sequence) : HostMessage(Host);

/// <param name="TunnelAddress">Address other hosts reach this one at with VXLAN.</param>
public sealed record HostCapacity(int Vcpus, int MemoryMiB, int DiskGiB, string HypervisorType, string HypervisorVersion, string CpuModel, string TunnelAddress, string[] Physical, string Zone, int RunningGuests, int UsedMemoryMiB, int UsedDiskGiB);

/// <summary>All that this host holds of ours, key by key with its fence. Sent at start, before commands are taken, and about each hour.</summary>
/// <param name="At">Before anything was looked at, by the host's clock.</param>
public sealed record Inventory(string Host, string Boot, InventoryItem[] Items, DateTimeOffset? At = null) : HostMessage(Host);

/// <param name="State">Of a guest, unless a command was at work on it.</param>
/// <param name="Undone">The last command for it failed: it may be other than its fence says.</param>
public sealed record InventoryItem(string Key, long Fence, string? State = null, bool? Undone = null);

/// <summary>A guest changed state by itself (it shut down, crashed, or was started by hand).</summary>
/// <param name="State">running, off, paused or crashed.</param>
/// <param name="Fence">Of the last command for the guest that the host knew then: what was seen before a later command says nothing any more.</param>
public sealed record DomainEvent(string Host, string ServerId, string State, DateTimeOffset At, long Fence = long.MaxValue) : HostMessage(Host);

/// <summary>JSON of everything that crosses between control plane and hosts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CommandMessage))]
[JsonSerializable(typeof(HostMessage))]
[JsonSerializable(typeof(TrafficSample))]
public sealed partial class ContractJson : JsonSerializerContext
{
    public static byte[] Write(CommandMessage m) => JsonSerializer.SerializeToUtf8Bytes(m, Default.CommandMessage);
    public static byte[] Write(HostMessage m) => JsonSerializer.SerializeToUtf8Bytes(m, Default.HostMessage);
    public static CommandMessage ReadCommand(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Default.CommandMessage) ?? throw new JsonException("empty command");
    public static HostMessage ReadHostMessage(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Default.HostMessage) ?? throw new JsonException("empty host message");
}
