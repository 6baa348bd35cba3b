using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloud.Agents.Host.Linux;

/// <summary>What <c>ip -d -j addr show</c> says of one interface.</summary>
/// <param name="Up">Switched on; it may still lack a carrier.</param>
public sealed record Interface(
    [property: JsonPropertyName("ifname")] string Name, int Mtu, string[] Flags, string? Master, string? Address,
    [property: JsonPropertyName("ifalias")] string? Alias, [property: JsonPropertyName("linkinfo")] InterfaceKind? Info,
    [property: JsonPropertyName("addr_info")] InterfaceAddressInfo[]? AddressInfo)
{
    [JsonIgnore] public string? Kind => Info?.Kind;

    /// <summary>Those that somebody set; what the link gave itself doesn't count.</summary>
    [JsonIgnore]
    public IEnumerable<InterfaceAddress> Addresses =>
        (AddressInfo ?? []).Where(a => a.Local is not null && a.Protocol != "kernel_ll").Select(a => new InterfaceAddress(IPAddress.Parse(a.Local!), a.PrefixLength))
            .Where(a => !a.Address.IsIPv6LinkLocal || a.Address.GetAddressBytes() is not [.., 0xff, 0xfe, _, _, _]);
}

public sealed record InterfaceKind([property: JsonPropertyName("info_kind")] string? Kind, [property: JsonPropertyName("info_data")] JsonElement? Data);

public sealed record InterfaceAddressInfo(string? Local, [property: JsonPropertyName("prefixlen")] int PrefixLength, string? Scope, string? Protocol = null);

/// <param name="Destination">A prefix, an address, or <c>default</c>.</param>
public sealed record RouteInfo([property: JsonPropertyName("dst")] string Destination, string? Gateway, [property: JsonPropertyName("dev")] string? Device, string? Protocol, string? Table);

public sealed record FdbEntry(string Mac, [property: JsonPropertyName("dst")] string? Destination);

/// <summary>iproute2.</summary>
public static class Ip
{
    /// <summary>Carries out commands in one go; ends at the first that fails.</summary>
    public static async Task Apply(ITool tool, Script batch, CancellationToken ct)
    {
        if (!batch.IsEmpty)
            await tool.Run(new ToolCall("ip", ["-batch", "-"], batch.ToString()), ct);
    }

    public static async Task<IReadOnlyDictionary<string, Interface>> Interfaces(ITool tool, CancellationToken ct) =>
        ByName(Read(await tool.Run("ip", ["-d", "-j", "addr", "show"], ct), IpJson.Default.InterfaceArray));

    /// <summary>Interfaces and routes of both families.</summary>
    public static async Task<(IReadOnlyDictionary<string, Interface> Interfaces, RouteInfo[] Routes)> All(ITool tool, CancellationToken ct)
    {
        var output = await tool.Run(new ToolCall("ip", ["-d", "-j", "-batch", "-"], "addr show\nroute show table all\n"), ct);
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(output), new JsonReaderOptions { AllowMultipleValues = true });
        reader.Read();
        var interfaces = JsonSerializer.Deserialize(ref reader, IpJson.Default.InterfaceArray)!;
        reader.Read();
        return (ByName(interfaces), JsonSerializer.Deserialize(ref reader, IpJson.Default.RouteInfoArray)!);
    }

    /// <summary>Where frames to unknown stations go, of a VXLAN interface.</summary>
    public static async Task<IReadOnlySet<string>> FloodTargets(ITool tool, string vxlan, CancellationToken ct)
    {
        var output = await tool.Run("bridge", ["-j", "fdb", "show", "dev", vxlan], ct);
        return Read(output, IpJson.Default.FdbEntryArray).Where(e => e.Mac == "00:00:00:00:00:00" && e.Destination is not null).Select(e => e.Destination!).ToHashSet(StringComparer.Ordinal);
    }

    public static async Task ApplyBridge(ITool tool, Script batch, CancellationToken ct)
    {
        if (!batch.IsEmpty)
            await tool.Run(new ToolCall("bridge", ["-batch", "-"], batch.ToString()), ct);
    }

    private static Dictionary<string, Interface> ByName(Interface[] interfaces) =>
        interfaces.Where(i => i.Name is not null).DistinctBy(i => i.Name).ToDictionary(i => i.Name, StringComparer.Ordinal);

    private static T Read<T>(string output, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(output.Length == 0 ? "[]" : output, type)!;
        }
        catch (JsonException e)
        {
            throw new HandlerFault($"ip said what can't be read: {e.Message}", retry: true, e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Interface[]))]
[JsonSerializable(typeof(RouteInfo[]))]
[JsonSerializable(typeof(FdbEntry[]))]
internal sealed partial class IpJson : JsonSerializerContext;
