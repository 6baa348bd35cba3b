using System.Diagnostics;
using System.Globalization;

namespace Cloud.Tests.Kit;

/// <summary>Debian's RabbitMQ with its AMQP 1.0 plugin, as a process of the test: its own node, ports, folder and name service, nothing of the system's.</summary>
public sealed class RabbitMq : IAsyncDisposable
{
    public const string Missing = "needs rabbitmq-server (Debian) and CS_BROKER=1: once, on a busy machine, one of these tests never ended";
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("cs-rabbit-");
    private readonly int _port = FreePort(), _distribution = FreePort(), _names = FreePort();
    private readonly Process _epmd;
    private Process? _broker;

    // Left to itself the broker would start this for the whole machine, and leave it.
    private RabbitMq() => _epmd = Process.Start(new ProcessStartInfo("epmd", ["-port", Text(_names), "-address", "127.0.0.1"]))!;

    public string Connection => $"amqp://guest:guest@127.0.0.1:{_port}";

    /// <summary>Null where it isn't installed or wanted.</summary>
    public static async Task<RabbitMq?> Start()
    {
        if (!File.Exists(Program) || Environment.GetEnvironmentVariable("CS_BROKER") is not "1") return null;
        var broker = new RabbitMq();
        await broker.Run();
        return broker;
    }

    /// <summary>The power goes, and comes back.</summary>
    public async Task Restart(Func<Task>? between = null)
    {
        await Kill();
        if (between is not null) await between();
        await Run();
    }

    private async Task Kill()
    {
        if (_broker is not { HasExited: false }) return;
        _broker.Kill(entireProcessTree: true);
        await _broker.WaitForExitAsync();
    }

    private async Task Run()
    {
        string In(string name) => Path.Combine(_data.FullName, name);
        await File.WriteAllTextAsync(In("plugins"), "[rabbitmq_amqp1_0].");
        await File.WriteAllTextAsync(In("env"), "");
        await File.WriteAllTextAsync(In("rabbitmq.conf"), "");
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _data.FullName };
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["HOME"] = _data.FullName, ["ERL_EPMD_PORT"] = Text(_names), ["ERL_EPMD_ADDRESS"] = "127.0.0.1", ["RABBITMQ_NODENAME"] = "test@localhost",
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1", ["RABBITMQ_NODE_PORT"] = Text(_port), ["RABBITMQ_DIST_PORT"] = Text(_distribution),
            ["RABBITMQ_MNESIA_BASE"] = In("mnesia"), ["RABBITMQ_LOG_BASE"] = In("log"), ["RABBITMQ_ENABLED_PLUGINS_FILE"] = In("plugins"),
            ["RABBITMQ_CONF_ENV_FILE"] = In("env"), ["RABBITMQ_CONFIG_FILE"] = In("rabbitmq"), ["RABBITMQ_PID_FILE"] = In("pid"),
            // It would keep processors busy while it waits.
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-setcookie test +sbwt none +sbwtdcpu none +sbwtdio none",
        }) start.Environment[name] = value;
        _broker = Process.Start(start)!;
        _ = _broker.StandardError.BaseStream.CopyToAsync(Stream.Null);
        while (await _broker.StandardOutput.ReadLineAsync() is { } line)
            if (line.Contains("completed with", StringComparison.Ordinal))
            {
                _ = _broker.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return;
            }
        throw new InvalidOperationException("rabbitmq-server ended: see " + In("log"));
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        _epmd.Kill();
        await _epmd.WaitForExitAsync();
        _broker?.Dispose();
        _epmd.Dispose();
        _data.Delete(recursive: true);
    }

    private static int FreePort() => int.Parse(CloudCommand.FreeAddress().Split(':')[1], CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
