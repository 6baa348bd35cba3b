using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Xunit;

namespace Cloud.Tests.Kit;

/// <summary>What a program left: its exit code, and all it wrote.</summary>
public sealed record Ended(int Exit, string Text, string Error);

/// <summary>A cloud of its own for other people's programs, which find its administrator's login in their environment.</summary>
internal sealed class CloudStand : IAsyncDisposable
{
    private readonly CloudCommand _up;
    /// <summary>OS_AUTH_URL and the like; tests add what their programs want.</summary>
    public Dictionary<string, string> Environment { get; } = [];
    public string Data { get; }
    public Uri Address { get; }

    private CloudStand(string data, string address, CloudCommand up) => (Data, Address, _up) = (data, new("http://" + address), up);

    public static async Task<CloudStand> Start(string hosts = "none", params string[] options)
    {
        var (data, address) = (Directory.CreateTempSubdirectory("cs-client-").FullName, CloudCommand.FreeAddress());
        var stand = new CloudStand(data, address, new(["up", "--data", data, "--listen", address, "--hosts", hosts, .. options]));
        await stand._up.Says("ready http");
        foreach (var word in (await System.IO.File.ReadAllTextAsync(Path.Combine(data, "openrc"))).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Where(w => w.StartsWith("OS_", StringComparison.Ordinal)))
            if (word.Split('=', 2) is [var name, var value]) stand.Environment[name] = value;
        return stand;
    }

    /// <summary>The administrator's key for S3.</summary>
    public async Task<(string Access, string Secret)> Ec2Key()
    {
        using var http = new HttpClient { BaseAddress = Address };
        var domain = new { id = "default" };
        using var login = await http.PostAsJsonAsync("/identity/v3/auth/tokens", new
        {
            auth = new
            {
                identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain, password = Environment["OS_PASSWORD"] } } },
                scope = new { project = new { name = "admin", domain } },
            },
        });
        var token = (await login.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token");
        http.DefaultRequestHeaders.Add("X-Auth-Token", login.Headers.GetValues("X-Subject-Token").Single());
        using var made = await http.PostAsJsonAsync($"/identity/v3/users/{token.GetProperty("user").GetProperty("id").GetString()}/credentials/OS-EC2", new { tenant_id = token.GetProperty("project").GetProperty("id").GetString() });
        var key = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("credential");
        return (key.GetProperty("access").GetString()!, key.GetProperty("secret").GetString()!);
    }

    /// <param name="login">False leaves out who asks.</param>
    public Process Begin(string program, IEnumerable<string> arguments, bool login = true)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Data };
        foreach (var (name, value) in Environment.Where(e => login || e.Key is "OS_AUTH_URL" or "OS_IDENTITY_API_VERSION" or "OS_REGION_NAME")) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public async Task<Ended> Run(string program, IEnumerable<string> arguments, bool login = true)
    {
        using var process = Begin(program, arguments, login);
        var (text, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(Patience.Span);
        await process.WaitForExitAsync(patience.Token);
        return new(process.ExitCode, await text, await error);
    }

    /// <param name="command">Words between blanks.</param>
    /// <returns>What it wrote.</returns>
    public async Task<string> Do(string program, string command)
    {
        var ended = await Run(program, command.Split(' '));
        Assert.True(ended.Exit == 0, $"{program} {command}: {ended.Text}{ended.Error}");
        return ended.Text;
    }

    /// <summary>A file of so many bytes below the stand's directory, each time the same.</summary>
    public string File(string name, int bytes)
    {
        var path = Path.Combine(Data, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var content = new byte[bytes];
        new Random(name.Length).NextBytes(content);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        using var down = new CloudCommand("down", "--data", Data);
        await down.Ended();
        _up.Dispose();
        Directory.Delete(Data, recursive: true);
    }
}
