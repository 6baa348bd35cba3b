using System.Text.Encodings.Web;
using System.Text.Json;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Metadata;

/// <summary>The metadata as EC2 has it: a tree of plain text.</summary>
public static class Ec2
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>A value, or the names in a folder; null when there is nothing.</returns>
    public static string? Get(string[] path, DomainSpec spec, IReadOnlyList<EnsurePort> ports)
    {
        object? at = Tree(spec, ports);
        foreach (var part in path)
            at = at is Dictionary<string, object> folder && folder.TryGetValue(part, out var next) ? next : null;
        return at switch
        {
            string text => text,
            Dictionary<string, object> folder when path is ["public-keys"] => string.Join('\n', folder.Keys.Select(k => $"{k}={spec.Metadata.KeyName ?? "key"}")),
            Dictionary<string, object> folder => string.Join('\n', folder.Select(e => e.Value is string ? e.Key : e.Key + "/")),
            _ => null,
        };
    }

    public static byte[] Json(DomainSpec spec, IReadOnlyList<EnsurePort> ports)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var w = new Utf8JsonWriter(buffer, Readable))
            Write(w, Tree(spec, ports));
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter w, Dictionary<string, object> folder)
    {
        w.WriteStartObject();
        foreach (var (name, value) in folder)
        {
            w.WritePropertyName(name);
            if (value is Dictionary<string, object> inner)
                Write(w, inner);
            else
                w.WriteStringValue((string)value);
        }

        w.WriteEndObject();
    }

    private static Dictionary<string, object> Tree(DomainSpec spec, IReadOnlyList<EnsurePort> ports)
    {
        var short8 = Names.Short(spec.ServerId)[..8];
        var data = spec.Metadata;
        var address = ports.SelectMany(p => p.Port.FixedIps).Select(ip => ip.Address).FirstOrDefault(a => !a.Contains(':', StringComparison.Ordinal)) ?? "";
        var tree = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["ami-id"] = $"ami-{short8}",
            ["ami-launch-index"] = "0",
            ["ami-manifest-path"] = "(unknown)",
            ["block-device-mapping"] = Devices(spec),
            ["hostname"] = data.Hostname,
            ["instance-action"] = "none",
            ["instance-id"] = $"i-{short8}",
            ["instance-type"] = $"{spec.Vcpus}x{spec.MemoryMiB}",
            ["local-hostname"] = data.Hostname,
            ["local-ipv4"] = address,
            ["placement"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["availability-zone"] = data.AvailabilityZone },
            ["public-hostname"] = data.Hostname,
            ["public-ipv4"] = "",
            ["reservation-id"] = $"r-{short8}",
        };
        if (data.PublicKey is not null)
            tree["public-keys"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["0"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["openssh-key"] = data.PublicKey } };
        return tree;
    }

    private static Dictionary<string, object> Devices(DomainSpec spec)
    {
        var devices = new Dictionary<string, object>(StringComparer.Ordinal) { ["ami"] = spec.Disks[0].Device, ["root"] = $"/dev/{spec.Disks[0].Device}" };
        for (var i = 1; i < spec.Disks.Length; i++)
            devices[$"ebs{i - 1}"] = $"/dev/{spec.Disks[i].Device}";
        return devices;
    }
}
