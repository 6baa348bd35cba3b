using System.Net;

namespace Cloud;

/// <summary>How the embedded cloud was started.</summary>
public sealed record EmbeddedOptions
{
    /// <summary>Everything that must last: state file, blobs, credentials, logs.</summary>
    public string Data { get; init; } = "";
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8774);
    /// <summary>Where host agents connect with AMQP; null for none.</summary>
    public IPEndPoint? Amqp { get; init; }
    /// <summary>Simulated hosts run in this process.</summary>
    public int Simulated { get; init; }
    /// <summary>Names of hosts that get a credential file at start.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];
    /// <summary>Directories for copies of objects, each on a disk of its own; none for three beside the rest, which is no safety.</summary>
    public IReadOnlyList<string> ObjectStores { get; init; } = [];
    /// <summary>Services that run, by the beginnings of their paths; none for all.</summary>
    public IReadOnlyList<string> Services { get; init; } = [];
    /// <summary>A <see cref="SettingsFile"/>; null for none.</summary>
    public string? Settings { get; init; }
    /// <summary>How long to wait for another process to let go of the data; none at all unless somebody is to be followed.</summary>
    public TimeSpan TakeOver { get; init; }
    public bool Quiet { get; init; }

    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static EmbeddedOptions Parse(IReadOnlyList<string> args)
    {
        var options = new EmbeddedOptions();
        for (var i = 0; i < args.Count; i += 2)
        {
            var value = i + 1 < args.Count ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value");
            options = args[i] switch
            {
                "--data" => options with { Data = Path.GetFullPath(value) },
                "--listen" => options with { Listen = Address(value) },
                "--amqp" => options with { Amqp = Address(value) },
                "--host" => options with { Hosts = [.. options.Hosts, value] },
                "--object-store" => options with { ObjectStores = [.. options.ObjectStores, Path.GetFullPath(value)] },
                "--services" => options with { Services = value.Split(',') },
                "--settings" => options with { Settings = Path.GetFullPath(value) },
                "--simulated" => options with { Simulated = int.TryParse(value, out var n) && n >= 0 ? n : throw new ArgumentException("--simulated takes a number") },
                "--take-over" => options with { TakeOver = int.TryParse(value, out var n) && n >= 0 ? TimeSpan.FromSeconds(n) : throw new ArgumentException("--take-over takes a number of seconds") },
                _ => throw new ArgumentException($"unknown option {args[i]}"),
            };
        }
        return options.Data.Length > 0 ? options : throw new ArgumentException("--data must be given");
    }

    private static IPEndPoint Address(string text) => IPEndPoint.TryParse(text, out var at) ? at : throw new ArgumentException($"'{text}' is not ADDRESS:PORT");
}
