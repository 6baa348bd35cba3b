using System.Diagnostics;
using System.Globalization;

namespace Cloud.Tests.Kit;

/// <summary>A broker that tests may kill.</summary>
public interface IBrokerProcess
{
    /// <summary>The same before and after.</summary>
    string Connection { get; }

    /// <summary>The power goes, and comes back.</summary>
    Task Restart();
}

/// <summary>Debian's RabbitMQ with its AMQP 1.0 plugin, as a process of the test: its own node, ports, folder and name service, nothing of the system's.</summary>
public sealed class RabbitMq : IBrokerProcess, IAsyncDisposable
{
    public const string Missing = "needs rabbitmq-server (Debian)";
    private const string Program = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("cs-rabbit-");
    private readonly int _port = FreePorts.One(), _distribution = FreePorts.One(), _names = FreePorts.One();
    private readonly Process _epmd;
    private Process? _broker;

    private readonly BrokerPlan? _plan;

    // Left to itself the broker would start this for the whole machine, and leave it.
    private RabbitMq(BrokerPlan? plan) => (_plan, _epmd) = (plan, Process.Start(new ProcessStartInfo("epmd", ["-port", Text(_names), "-address", "127.0.0.1"]))!);

    public string Connection => $"amqp://guest:guest@127.0.0.1:{_port}";

    /// <summary>Null where it isn't installed.</summary>
    /// <param name="plan">What is there from the start; else only the user guest, and queues are made when they are named.</param>
    public static async Task<RabbitMq?> Start(BrokerPlan? plan = null)
    {
        if (!File.Exists(Program)) return null;
        var broker = new RabbitMq(plan);
        await broker.Run();
        if (plan is not null) await broker.Told(Written);
        return broker;
    }

    public async Task Restart()
    {
        await Told(Written);
        await Killed(TimeSpan.Zero);
    }

    /// <summary>As it is, without a word to it before.</summary>
    public async Task Killed(TimeSpan away)
    {
        await Kill();
        await Task.Delay(away);
        await Run();
    }

    /// <summary>All that is in each queue, waiting or lent, as the broker counts it.</summary>
    public async Task<IReadOnlyDictionary<string, int>> Depths() => (await Told(["--erlang-cookie", "test", "-n", "test@localhost", "-q", "--no-table-headers", "list_queues", "name", "messages"]))
        .Split('\n').Select(l => l.Split('\t')).Where(l => l.Length == 2).ToDictionary(l => l[0], l => int.Parse(l[1], CultureInfo.InvariantCulture));

    /// <summary>
    /// Its memory of which queues there are is written a while after it said that one was made: who kills it then loses the queue, and all that is in it, though
    /// it is durable and each message was accepted. One run in four lost it so. Arguments of rabbitmqctl that have it written now.
    /// </summary>
    public static string[] Written => ["--erlang-cookie", "test", "-n", "test@localhost", "eval", "mnesia:sync_log()."];

    private async Task<string> Told(string[] arguments)
    {
        using var process = Process.Start(At(new ProcessStartInfo("/usr/lib/rabbitmq/bin/rabbitmqctl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true }))!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Patience.Span);
        return process.ExitCode == 0 ? (await said)[0] : throw new InvalidOperationException(string.Concat(await said));
    }

    private ProcessStartInfo At(ProcessStartInfo start)
    {
        start.WorkingDirectory = _data.FullName;
        foreach (var (name, value) in Settings(_data.FullName, "127.0.0.1", _port, _distribution, _names)) start.Environment[name] = value;
        return start;
    }

    /// <summary>What tells it to keep to one folder, where that holds the files plugins, env and rabbitmq.conf, and to its own ports.</summary>
    /// <param name="address">To listen on.</param>
    /// <param name="names">Port of the name service of its kind.</param>
    public static Dictionary<string, string> Settings(string folder, string address, int port, int distribution, int names) => new()
    {
        ["HOME"] = folder, ["ERL_EPMD_PORT"] = Text(names), ["ERL_EPMD_ADDRESS"] = "127.0.0.1", ["RABBITMQ_NODENAME"] = "test@localhost",
        ["RABBITMQ_NODE_IP_ADDRESS"] = address, ["RABBITMQ_NODE_PORT"] = Text(port), ["RABBITMQ_DIST_PORT"] = Text(distribution),
        ["RABBITMQ_MNESIA_BASE"] = folder + "/mnesia", ["RABBITMQ_LOG_BASE"] = folder + "/log", ["RABBITMQ_ENABLED_PLUGINS_FILE"] = folder + "/plugins",
        ["RABBITMQ_CONF_ENV_FILE"] = folder + "/env", ["RABBITMQ_CONFIG_FILE"] = folder + "/rabbitmq", ["RABBITMQ_PID_FILE"] = folder + "/pid",
        // It would keep processors busy while it waits.
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-setcookie test +sbwt none +sbwtdcpu none +sbwtdio none",
    };

    private async Task Kill()
    {
        if (_broker is not { HasExited: false }) return;
        _broker.Kill(entireProcessTree: true);
        await _broker.WaitForExitAsync().WaitAsync(Patience.Span);
    }

    private async Task Run()
    {
        string In(string name) => Path.Combine(_data.FullName, name);
        await File.WriteAllTextAsync(In("plugins"), "[rabbitmq_amqp1_0].");
        await File.WriteAllTextAsync(In("env"), "");
        await File.WriteAllTextAsync(In("rabbitmq.conf"), _plan is null ? "" : $"load_definitions = {In("plan.json")}\nconsumer_timeout = 86400000\n");
        if (_plan is not null) await File.WriteAllTextAsync(In("plan.json"), _plan.ToString());
        _broker = Process.Start(At(new(Program) { RedirectStandardOutput = true, RedirectStandardError = true }))!;
        _ = _broker.StandardError.BaseStream.CopyToAsync(Stream.Null);
        using var late = new CancellationTokenSource(Patience.Span);
        while (await _broker.StandardOutput.ReadLineAsync(late.Token) is { } line)
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
