namespace Cloud.Agents.Host;

/// <summary>How this host agent was started. Fixed while it runs.</summary>
public sealed record HostOptions
{
    /// <summary>The host's name: queue name, and what operators see.</summary>
    public required string Name { get; init; }

    /// <summary>Where ledger, images, disks and consoles live.</summary>
    public required string Data { get; init; }

    /// <summary>amqp://host:port or amqps://host:port of broker or control plane.</summary>
    public string Control { get; init; } = "";

    /// <summary>File with the host's secret; user name on the bus is <c>host.NAME</c>.</summary>
    public string CredentialFile { get; init; } = "";

    /// <summary>Base address that relative image URLs are taken from.</summary>
    public string ControlHttp { get; init; } = "";

    /// <summary>Unix socket of the libvirt sidecar.</summary>
    public string Sidecar { get; init; } = "/run/cloud/sidecar.sock";

    /// <summary>Provider networks of this host: name to bridge.</summary>
    public IReadOnlyDictionary<string, string> Physical { get; init; } = new Dictionary<string, string>();

    /// <summary>Address other hosts reach this one at with VXLAN; empty for none.</summary>
    public string TunnelAddress { get; init; } = "";

    /// <summary>Availability zone.</summary>
    public string Zone { get; init; } = "nova";

    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Time between two samples of what guests and floating IPs used.</summary>
    public TimeSpan Sample { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between two comparisons of what is here with what should be.</summary>
    public TimeSpan Inventory { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a guest may take to obey ACPI before it is switched off.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Commands carried out at once.</summary>
    public int Parallel { get; init; } = 8;

    public string Images => Path.Combine(Data, "images");
    public string Disks => Path.Combine(Data, "disks");
    public string Consoles => Path.Combine(Data, "consoles");
    public string ConfigDrives => Path.Combine(Data, "config-drives");
    public string MetadataSocket => Path.Combine(Data, "metadata.sock");

    /// <summary>Folder of the network part: namespaces, and files of dnsmasq.</summary>
    public string Networks => Path.Combine(Data, "networks");

    public const string Usage = """
        usage: Cloud.Agents.Host --name NAME --data DIR --control amqp://HOST:PORT --credential-file FILE --control-http http://HOST:PORT
            [--sidecar SOCKET] [--tunnel-address ADDRESS] [--physical NAME=BRIDGE]... [--zone ZONE]
            [--heartbeat SECONDS] [--sample SECONDS] [--inventory SECONDS] [--shutdown-grace SECONDS] [--parallel COMMANDS]
        """;

    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static HostOptions Parse(IReadOnlyList<string> args)
    {
        var options = new HostOptions { Name = "", Data = "" };
        var physical = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i += 2)
        {
            var value = i + 1 < args.Count ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value");
            options = args[i] switch
            {
                "--name" => options with { Name = value },
                "--data" => options with { Data = Path.GetFullPath(value) },
                "--control" => options with { Control = value },
                "--credential-file" => options with { CredentialFile = value },
                "--control-http" => options with { ControlHttp = value },
                "--sidecar" => options with { Sidecar = value },
                "--tunnel-address" => options with { TunnelAddress = value },
                "--zone" => options with { Zone = value },
                "--heartbeat" => options with { Heartbeat = Seconds(args[i], value) },
                "--sample" => options with { Sample = Seconds(args[i], value) },
                "--inventory" => options with { Inventory = Seconds(args[i], value) },
                "--shutdown-grace" => options with { ShutdownGrace = Seconds(args[i], value) },
                "--parallel" => options with { Parallel = int.TryParse(value, out var n) && n > 0 ? n : throw new ArgumentException("--parallel takes a number above 0") },
                "--physical" => options with { Physical = Add(physical, value) },
                _ => throw new ArgumentException($"unknown option {args[i]}"),
            };
        }

        if (options.Data.Length == 0)
            throw new ArgumentException("--name and --data must be given");
        Ids.Check(options.Name);
        return options;
    }

    private static TimeSpan Seconds(string option, string value) =>
        double.TryParse(value, out var seconds) && seconds > 0 ? TimeSpan.FromSeconds(seconds) : throw new ArgumentException($"{option} takes seconds above 0");

    private static Dictionary<string, string> Add(Dictionary<string, string> physical, string value)
    {
        var at = value.IndexOf('=');
        if (at < 1 || at == value.Length - 1)
            throw new ArgumentException("--physical takes name=bridge");
        physical[value[..at]] = value[(at + 1)..];
        return physical;
    }
}
