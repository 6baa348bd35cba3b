using System.Diagnostics;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Microsoft.Data.Sqlite;

namespace Cloud.Soak;

/// <summary>./cloud up with a real host: what it starts is killed behind its back, and it starts it again.</summary>
public sealed class RealStand(Options options, string root) : Stand
{
    private const string Host = "local";
    private static readonly string[] s_names = ["cloud", "host", "sidecar", "libvirtd"];
    private readonly int[] _kills = new int[s_names.Length];
    private Process? _up;
    private string _compared = "nothing";

    public override string Data { get; } = Path.Combine(root, "cloud");
    public override int Victims => s_names.Length;
    public override string Told => $"{_kills.Sum()} kills ({string.Join(", ", s_names.Zip(_kills, (n, k) => $"{k} of {n}"))}); compared at rest: {_compared}";

    private Machine Machine => new(Data);
    private string Ledger => Path.Combine(Data, "host", "ledger.db");
    private string Cloud => Path.Combine(Environment.GetEnvironmentVariable("CS_ROOT") ?? throw new ArgumentException("a real soak is started by ./cloud soak --real"), "cloud");

    public override async Task Start(CancellationToken ct)
    {
        _up = Process.Start(Command("exec \"$0\" up --data \"$1\" --listen \"$2\" --hosts local >> \"$3\" 2>&1", Listen, Path.Combine(root, "up.log")))!;
        for (var i = 0; !File.Exists(Path.Combine(Data, "run/host.ready")); i++)
        {
            if (_up.HasExited || i > 1200) throw new InvalidOperationException($"the cloud does not start; see {root}/up.log");
            await Task.Delay(100, ct);
        }
    }

    public override Task Kill(int victim, TimeSpan away)
    {
        var file = Path.Combine(Data, s_names[victim] == "libvirtd" ? "libvirt/run/libvirtd.pid" : $"run/{s_names[victim]}.pid");
        try
        {
            var pid = int.Parse(File.ReadAllText(file).Trim(), null);
            // Numbers are used again: only what is ours.
            if (File.ReadAllText($"/proc/{pid}/cmdline").Contains(Data, StringComparison.Ordinal))
            {
                Process.GetProcessById(pid).Kill();
                _kills[victim]++;
            }
        }
        catch (Exception e) when (e is IOException or ArgumentException or FormatException or InvalidOperationException) { /* it isn't there just now */ }
        return Task.CompletedTask;
    }

    public override Task Look() => _up is { HasExited: false } ? Task.CompletedTask : throw new InvalidOperationException($"./cloud up has ended; see {root}/up.log");

    public override async Task Stop()
    {
        if (_up is { HasExited: false } up)
        {
            // Not INT: a shell that was started in the background ignores it, and so do we, its children.
            using (var end = Process.Start("kill", ["-TERM", $"{up.Id}"])) await end.WaitForExitAsync();
            await up.WaitForExitAsync();
        }
        _up?.Dispose();
        _up = null;
    }

    public override IEnumerable<(string, Dictionary<string, Thing>)> Held()
    {
        // Images and networks stay as long as the host likes.
        yield return (Host, Remembered().Where(t => t.Value.Spec is not (EnsureImage or EnsureNetwork)).ToDictionary());
    }

    public override IReadOnlyDictionary<string, int> Guests() => Machine.Guests();

    public override async Task<IReadOnlyList<string>> Untrue()
    {
        var (wished, there) = (Machine.Wished([.. Remembered().Values.Select(t => t.Spec!).Where(w => w is not (EnsureImage or EnsureNetwork))]), await Machine.Things());
        if (_compared == "nothing") _compared = string.Join(", ", there.GroupBy(t => t.Split(' ')[0]).Select(g => $"{g.Count()} {g.Key}"));
        return [.. wished.Except(there).Select(t => $"{t} should be there and isn't"), .. there.Except(wished).Select(t => $"{t} is there and nobody's")];
    }

    public override async Task<IReadOnlyList<string>> Leftovers()
    {
        var left = await Machine.Things();
        await Down();
        return [.. left.Select(t => $"{t} is left of what was deleted"), .. (await Machine.AtWork()).Select(t => $"{t} is left after ./cloud down")];
    }

    private Dictionary<string, Thing> Remembered()
    {
        using var ledger = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Ledger, Pooling = false, Mode = SqliteOpenMode.ReadOnly }.ToString());
        ledger.Open();
        using var command = ledger.CreateCommand();
        command.CommandText = "SELECT key, fence, spec FROM entry WHERE type IS NOT NULL";
        using var reader = command.ExecuteReader();
        var things = new Dictionary<string, Thing>();
        while (reader.Read()) things[reader.GetString(0)] = new() { Fence = reader.GetInt64(1), Spec = JsonSerializer.Deserialize(reader.GetString(2), ContractJson.Default.Command) };
        return things;
    }

    private ProcessStartInfo Command(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script, Cloud, Data, .. arguments]);
        start.Environment["CLOUD_BIN"] = options.Bin.TrimEnd('/');
        return start;
    }

    private async Task Down()
    {
        using var down = Process.Start(Command("exec \"$0\" down --data \"$1\" >> \"$2\" 2>&1", Path.Combine(root, "down.log")))!;
        await down.WaitForExitAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await Stop();
        await Down();
    }
}
