using System.Diagnostics;
using System.Globalization;
using Cloud.Tests.Kit;

namespace Cloud.Bench;

/// <summary>The control plane as its own process, watched through /proc. Its simulated hosts run inside it, so their cost is in every figure.</summary>
public sealed class ControlPlane : Subject, IAsyncDisposable
{
    private readonly Process _process;

    public string Url { get; }
    /// <summary>From exec to the ready line; every API answers then.</summary>
    public TimeSpan ColdStart { get; }

    private ControlPlane(Process process, string url, TimeSpan coldStart) => (_process, Url, ColdStart) = (process, url, coldStart);

    public static async Task<ControlPlane> Start(string executable, string data, int hosts, string? settings = null)
    {
        var port = FreePorts.One();
        var start = new ProcessStartInfo(executable, ["up", "--data", data, "--listen", $"127.0.0.1:{port}", "--simulated", $"{hosts}", .. settings is null ? (string[])[] : ["--settings", settings]]) { RedirectStandardOutput = true };
        start.Environment["DOTNET_GCgen0size"] = "0x2000000"; // as ./cloud up starts it
        var clock = Stopwatch.StartNew();
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith("ready", StringComparison.Ordinal)) { Console.Error.WriteLine(line); continue; }
            var took = clock.Elapsed;
            _ = process.StandardOutput.BaseStream.CopyToAsync(Console.OpenStandardError()); // what it logs
            return new(process, $"http://127.0.0.1:{port}", took);
        }
        throw new InvalidOperationException("the control plane ended before it was ready");
    }

    public override double CpuMs() => CpuMs(_process.Id);

    public double ResidentMiB() => Status("VmRSS:") / 1024;
    public double PeakMiB() => Status("VmHWM:") / 1024;

    /// <summary>Until no message waits, no saga is under way and hosts know what they should: what is measured then is nothing else's.</summary>
    public async Task Rest(Client client)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromMinutes(10);)
        {
            if (!await Settle()) continue;
            var queues = (await client.Get("/ops/v1/queues")).Must("queues").Json["queues"]!.AsArray();
            if (queues.All(q => (int)q!["messages"]! == 0) && (await client.Get("/ops/v1/sagas")).Must("sagas").Json["sagas"]!.AsArray().Count == 0) return;
        }
        throw new TimeoutException("the control plane does not come to rest");
    }

    /// <summary>The peak counts from now on; where the kernel lets one say so.</summary>
    public void ForgetPeak()
    {
        try { File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5"); }
        catch (UnauthorizedAccessException) { /* then it is the highest of all time */ }
    }

    private double Status(string field) =>
        double.Parse(File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"])) await kill.WaitForExitAsync();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try { await _process.WaitForExitAsync(patience.Token); }
            catch (OperationCanceledException) { _process.Kill(); }
        }
        _process.Dispose();
    }
}
