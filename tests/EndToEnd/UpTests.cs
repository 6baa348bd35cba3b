using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading.Channels;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>The command that runs a cloud: what it starts, starts again, and ends.</summary>
public sealed class UpTests : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cs-up-").FullName;

    [Fact]
    public async Task A_control_plane_that_dies_is_started_again_and_loses_nothing()
    {
        var at = FreeAddress();
        using var up = new CloudCommand("up", "--data", _data, "--listen", at, "--hosts", "simulated:1");
        await up.Says("ready http");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_data, "openrc")));
        using var http = new HttpClient { BaseAddress = new("http://" + at) };
        http.DefaultRequestHeaders.Add("X-Auth-Token", await Token(http));
        var made = await (await http.PostAsJsonAsync("/identity/v3/projects", new { project = new { name = "kept" } })).Content.ReadFromJsonAsync<JsonElement>();

        Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(Path.Combine(_data, "run/cloud.pid")))).Kill();
        await up.Says("cloud ended and is started again");
        await up.Says("ready http");
        var project = await http.GetAsync("/identity/v3/projects/" + made.GetProperty("project").GetProperty("id").GetString());
        Assert.Equal(HttpStatusCode.OK, project.StatusCode);

        using var second = new CloudCommand("up", "--data", _data, "--listen", FreeAddress(), "--hosts", "none");
        await second.Says("a cloud runs on");
        Assert.Equal(1, await second.Ended());

        up.Interrupt();
        Assert.Equal(0, await up.Ended());
        Assert.Empty(Running());
    }

    [Fact]
    public async Task Down_ends_what_a_killed_supervisor_left()
    {
        using var up = new CloudCommand("up", "--data", _data, "--listen", FreeAddress(), "--hosts", "none");
        await up.Says("ready http");
        up.Kill();
        Assert.NotEmpty(Running());
        using var down = new CloudCommand("down", "--data", _data);
        Assert.Equal(0, await down.Ended());
        Assert.Empty(Running());
    }

    [Fact]
    public async Task An_address_in_use_is_said_in_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var up = new CloudCommand("up", "--data", _data, "--listen", taken.LocalEndpoint.ToString()!, "--hosts", "none");
        await up.Says("the control plane did not start:");
        Assert.Contains("address already in use", await up.Says(""), StringComparison.Ordinal);
        Assert.Equal(1, await up.Ended());
        Assert.Empty(Running());
    }

    public async ValueTask DisposeAsync()
    {
        using var down = new CloudCommand("down", "--data", _data);
        await down.Ended();
        Directory.Delete(_data, recursive: true);
    }

    private async Task<string> Token(HttpClient http)
    {
        var password = (await File.ReadAllTextAsync(Path.Combine(_data, "admin-password"))).Trim();
        var domain = new { id = "default" };
        var answer = await http.PostAsJsonAsync("/identity/v3/auth/tokens", new
        {
            auth = new
            {
                identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain, password } } },
                scope = new { project = new { name = "admin", domain } },
            },
        });
        return answer.Headers.GetValues("X-Subject-Token").Single();
    }

    /// <summary>Command lines of living processes of this cloud.</summary>
    private List<string> Running() => [.. Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)).Select(CommandLine).Where(c => c.Contains(_data, StringComparison.Ordinal))];

    private static string CommandLine(string process)
    {
        try { return File.ReadAllText(Path.Combine(process, "cmdline")); }
        catch (IOException) { return ""; } // it ended meanwhile
    }

    private static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener.LocalEndpoint.ToString()!;
    }

    /// <summary>./cloud with the programs that were built with the tests.</summary>
    private sealed class CloudCommand : IDisposable
    {
        private readonly Process _process;
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
        private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(2));

        internal CloudCommand(params string[] arguments)
        {
            var start = new ProcessStartInfo("bash", [Path.Combine(SidecarLab.Root(), "cloud"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["CLOUD_BIN"] = AppContext.BaseDirectory.TrimEnd('/');
            _process = Process.Start(start)!;
            _process.OutputDataReceived += (_, e) => Add(e.Data);
            _process.ErrorDataReceived += (_, e) => Add(e.Data);
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        /// <summary>The next line that begins so; others before it are passed over.</summary>
        internal async Task<string> Says(string beginning)
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(_patience.Token))
                if (line.StartsWith(beginning, StringComparison.Ordinal)) return line;
            throw new InvalidOperationException("it says nothing more");
        }

        internal async Task<int> Ended()
        {
            await _process.WaitForExitAsync(_patience.Token);
            return _process.ExitCode;
        }

        internal void Interrupt() => Assert.Equal(0, kill(_process.Id, 2));

        internal void Kill() => _process.Kill();

        public void Dispose()
        {
            _process.Dispose();
            _patience.Dispose();
        }

        private void Add(string? line)
        {
            if (line is not null) _lines.Writer.TryWrite(line);
        }

        [DllImport("libc")] private static extern int kill(int process, int signal);
    }
}
