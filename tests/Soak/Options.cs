using System.Globalization;

namespace Cloud.Soak;

/// <summary>How a soak was started.</summary>
/// <param name="Bin">Folder of the programs.</param>
/// <param name="Image">A real guest's: then the host is real too, and sidecar and libvirtd are among the victims.</param>
/// <param name="Disk">"full": the control plane's is small and filled up now and then, as if it were one of the victims; "slow": each sync takes long.</param>
/// <param name="Functions">The control plane is a function app on a Functions host that we play.</param>
/// <param name="Every">Executions until an instance of it is ended.</param>
/// <param name="Away">Seconds that a disk stays full; a moment when it isn't given.</param>
public sealed record Options(int Kills = 20, int Seed = 1, int Clients = 4, int Hosts = 3, string? Data = null, string Bin = "", string? Image = null, string? Disk = null, int? Away = null, bool Functions = false, int Every = 20)
{
    public const string Usage = "usage: soak [--kills N] [--seed N] [--clients N] [--hosts N] [--data DIR] [--image QCOW2] [--disk full|slow] [--away SECONDS] [--on functions [--every N]] | soak serve --listen ADDRESS:PORT --data DIR [--every N] [--hosts N] [--settings FILE] [--program FILE]";

    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options(Bin: AppContext.BaseDirectory);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value");
            int Number() => int.TryParse(value, CultureInfo.InvariantCulture, out var n) && n >= 0 ? n : throw new ArgumentException($"{args[i]} takes a number");
            options = args[i] switch
            {
                "--kills" => options with { Kills = Number() },
                "--seed" => options with { Seed = Number() },
                "--clients" => options with { Clients = Number() },
                "--hosts" => options with { Hosts = Number() },
                "--data" => options with { Data = Path.GetFullPath(value) },
                "--image" => options with { Image = Path.GetFullPath(value) },
                "--disk" => options with { Disk = value is "full" or "slow" ? value : throw new ArgumentException("--disk is full or slow") },
                "--on" => options with { Functions = value == "functions" ? true : throw new ArgumentException("--on takes functions") },
                "--every" => options with { Every = Math.Max(1, Number()) },
                "--away" => options with { Away = Number() },
                "--bin" => options with { Bin = Path.GetFullPath(value) },
                _ => throw new ArgumentException($"unknown option {args[i]}"),
            };
        }
        return options;
    }
}
