using System.Diagnostics;
using Cloud.Tests.Kit;

namespace Cloud.Bench;

/// <summary>
/// Debian's Swift, unmodified: proxy, account, container and object servers with two workers each, three copies in three directories, and memcached. It asks for no tokens,
/// and none of its daemons (replicators, auditors, updaters) runs: both would only add to its figures.
/// </summary>
internal sealed class RealSwift : Subject, IAsyncDisposable
{
    private readonly string _data;
    /// <summary>Leaders of their sessions, in which their workers are too.</summary>
    private readonly List<Process> _servers = [];

    public string Url { get; private set; } = "";

    private RealSwift(string data) => _data = data;

    public static async Task<RealSwift> Start(string data)
    {
        var swift = new RealSwift(data);
        foreach (var device in (string[])["d1", "d2", "d3"]) Directory.CreateDirectory(Path.Combine(data, "devices", device));
        await swift.Write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = bench\nswift_hash_path_prefix = bench\n[storage-policy:0]\nname = Policy-0\ndefault = yes\n");
        var cache = FreePorts.One();
        swift.Run("memcached", "-l", "127.0.0.1", "-p", $"{cache}", "-u", Environment.UserName);
        foreach (var kind in (string[])["account", "container", "object"])
        {
            var port = FreePorts.One();
            await swift.Ring(kind, port);
            await swift.Server(kind, port, kind + "-server", "");
        }
        var proxy = FreePorts.One();
        await swift.Server("proxy", proxy, "catch_errors cache proxy-server", $"account_autocreate = true\n[filter:catch_errors]\nuse = egg:swift#catch_errors\n[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:{cache}\n");
        swift.Url = $"http://127.0.0.1:{proxy}";
        return swift;
    }

    /// <summary>All processes of its servers' sessions.</summary>
    public override double CpuMs() => Living().Sum(CpuMs);

    private async Task Ring(string kind, int port)
    {
        string[][] steps = [["create", "8", "3", "1"], ["add", .. Enumerable.Range(1, 3).SelectMany(n => (string[])[$"r1z{n}-127.0.0.1:{port}/d{n}", "100"])], ["rebalance"]];
        foreach (var step in steps)
        {
            using var builder = Process.Start(new ProcessStartInfo("swift-ring-builder", [kind + ".builder", .. step]) { WorkingDirectory = _data, RedirectStandardOutput = true })!;
            await builder.StandardOutput.ReadToEndAsync();
            await builder.WaitForExitAsync();
            if (builder.ExitCode > 1) throw new InvalidOperationException($"swift-ring-builder {step[0]} failed"); // 1 is a warning
        }
    }

    private async Task Server(string kind, int port, string pipeline, string more)
    {
        var file = await Write(kind + ".conf", $"""
            [DEFAULT]
            bind_ip = 127.0.0.1
            bind_port = {port}
            swift_dir = {_data}
            devices = {_data}/devices
            mount_check = false
            user = {Environment.UserName}
            workers = 2
            log_level = ERROR
            [pipeline:main]
            pipeline = {pipeline}
            [app:{kind}-server]
            use = egg:swift#{kind}
            {more}
            """);
        Run($"swift-{kind}-server", file);
    }

    private void Run(string program, params string[] arguments) => _servers.Add(Process.Start(new ProcessStartInfo("setsid", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!);

    private async Task<string> Write(string name, string text)
    {
        var file = Path.Combine(_data, name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private List<int> Living()
    {
        var leaders = _servers.Select(s => $"{s.Id}").ToHashSet();
        return [.. Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), out var pid) ? pid : 0).Where(pid => pid > 0 && Of(pid))];
        bool Of(int pid)
        {
            try { return leaders.Contains(Stat(pid)[3]); }
            catch (IOException) { return false; } // it ended meanwhile
        }
    }

    public ValueTask DisposeAsync()
    {
        foreach (var pid in Living())
            try { Process.GetProcessById(pid).Kill(); }
            catch (ArgumentException) { /* it ended with its leader */ }
        foreach (var server in _servers) server.Dispose();
        return ValueTask.CompletedTask;
    }
}
