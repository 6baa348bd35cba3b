using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>The command that runs a cloud: what it starts, starts again, and ends.</summary>
public sealed class UpTests : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cs-up-").FullName;

    [Fact]
    public async Task A_control_plane_that_dies_is_started_again_and_loses_nothing()
    {
        var at = CloudCommand.FreeAddress();
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

        using var second = new CloudCommand("up", "--data", _data, "--listen", CloudCommand.FreeAddress(), "--hosts", "none");
        await second.Says("a cloud runs on");
        Assert.Equal(1, await second.Ended());

        up.Interrupt();
        Assert.Equal(0, await up.Ended());
        Assert.Empty(Running());
    }

    [Fact]
    public async Task Down_ends_what_a_killed_supervisor_left()
    {
        using var up = new CloudCommand("up", "--data", _data, "--listen", CloudCommand.FreeAddress(), "--hosts", "none");
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
}
