using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>infra/systemd: units that systemd understands, which leave each process no more than it needs.</summary>
public sealed class SystemdUnitTests
{
    private const string Analyze = "/usr/bin/systemd-analyze";

    /// <summary>Exposure as systemd-analyze sums it up, times ten: 0 is nothing, 100 is everything. It may fall.</summary>
    public static TheoryData<string, string, int> Units => new()
    {
        { "cloud-control.service", "Cloud.Functions", 14 }, { "cloud-sidecar.service", "Cloud.Agents.Sidecar", 13 }, { "cloud-host.service", "Cloud.Agents.Host", 53 },
    };

    [Theory, MemberData(nameof(Units))]
    public async Task A_unit_is_valid_and_leaves_no_more_open_than_was_agreed(string unit, string program, int threshold)
    {
        Assert.SkipUnless(File.Exists(Analyze), "needs Debian's systemd");
        var folder = Directory.CreateTempSubdirectory("cs-unit-").FullName;
        try
        {
            // Where our programs are is looked at too, so the copy names those that were built.
            var copy = Path.Combine(folder, unit);
            var text = await File.ReadAllTextAsync(Repository.Path("infra/systemd/" + unit), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(copy, Regex.Replace(text, "/opt/cloud/(functions|agents)/" + Regex.Escape(program), Path.Combine(AppContext.BaseDirectory, program)), TestContext.Current.CancellationToken);
            var verified = await Run(Analyze, ["verify", "--man=no", copy]);
            Assert.True(verified is (0, ""), $"{unit}: {verified.Text}");
            var looked = await Run(Analyze, ["security", "--no-pager", "--offline=yes", "--threshold=" + threshold.ToString(CultureInfo.InvariantCulture), copy]);
            Assert.True(looked.Exit == 0, looked.Text);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    [Fact]
    public void Every_unit_is_looked_at() =>
        Assert.Equal(Units.Select(u => u.Data.Item1).Order(StringComparer.Ordinal), Directory.EnumerateFiles(Repository.Path("infra/systemd"), "*.service").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));

    /// <summary>Rights of the host agent, each of which docs/security.md gives a reason for.</summary>
    [Fact]
    public void What_the_host_agent_may_is_said_why()
    {
        var page = File.ReadAllText(Repository.Path("docs/security.md"));
        var bound = File.ReadLines(Repository.Path("infra/systemd/cloud-host.service")).Single(l => l.StartsWith("CapabilityBoundingSet=", StringComparison.Ordinal))["CapabilityBoundingSet=".Length..].Split(' ');
        Assert.Equal(11, bound.Length);
        foreach (var right in bound) Assert.Contains($"`{right}`", page, StringComparison.Ordinal);
        foreach (var unit in (string[])["cloud-control", "cloud-sidecar"]) Assert.Contains("CapabilityBoundingSet=\n", File.ReadAllText(Repository.Path($"infra/systemd/{unit}.service")), StringComparison.Ordinal);
    }

    /// <summary>systemd isn't running where tests are, so its filter isn't either: the process runs as its unit lets it, and all calls it makes are looked up in the filter.</summary>
    [Fact]
    public async Task The_control_plane_makes_no_call_that_its_unit_forbids()
    {
        Assert.SkipUnless(File.Exists(Analyze) && File.Exists("/usr/bin/strace") && Environment.UserName == "root", "needs Debian's systemd and strace, and root");
        var data = Directory.CreateTempSubdirectory("cs-unit-").FullName;
        try
        {
            var calls = Path.Combine(data, "calls");
            var (at, home, program) = (CloudCommand.FreeAddress(), Path.Combine(data, "home"), Path.Combine(data, "program"));
            // Where it was built only root may come, perhaps.
            Assert.Equal((0, ""), await Run("/usr/bin/cp", ["-r", AppContext.BaseDirectory, program]));
            Directory.CreateDirectory(home);
            File.SetUnixFileMode(data, (UnixFileMode)Convert.ToInt32("755", 8));
            Assert.Equal((0, ""), await Run("/usr/bin/chown", ["65534:65534", home]));
            // Strace watches from outside; what it starts has neither user nor right.
            var start = new ProcessStartInfo("/usr/bin/strace", ["-f", "-c", "-o", calls, "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs",
                Path.Combine(program, "Cloud.Functions"), "up", "--data", home, "--listen", at, "--simulated", "1"])
            { RedirectStandardOutput = true, RedirectStandardError = true };
            using var cloud = Process.Start(start)!;
            while (await cloud.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
                if (line.StartsWith("ready http", StringComparison.Ordinal)) break;
            Assert.False(cloud.HasExited, cloud.HasExited ? await cloud.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken) : "");
            await Work(new("http://" + at), await File.ReadAllTextAsync(Path.Combine(home, "admin-password"), TestContext.Current.CancellationToken));
            var own = (await Run("/usr/bin/pgrep", ["-f", "^" + Regex.Escape(Path.Combine(program, "Cloud.Functions")) + ".* " + Regex.Escape(home)])).Text.Trim();
            Assert.Equal((0, ""), await Run("/usr/bin/kill", [own]));
            await cloud.WaitForExitAsync(TestContext.Current.CancellationToken);

            // setpriv's own calls come before the filter would be there.
            var made = (await File.ReadAllLinesAsync(calls, TestContext.Current.CancellationToken)).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 4 && char.IsAsciiDigit(w[0][0])).Select(w => w[^1]).Where(w => w != "total").ToHashSet();
            made.ExceptWith(["setresuid", "setresgid", "setgroups", "capset"]);
            var allowed = (await Names("@system-service")).Except(await Names("@privileged")).ToHashSet();
            Assert.True(made.Count > 60, $"only {made.Count} calls were seen");
            Assert.Empty(made.Except(allowed));
        }
        finally { Directory.Delete(data, recursive: true); }
    }

    /// <summary>A server, a volume, and an image that a process of its own looks at.</summary>
    private static async Task Work(Uri address, string password)
    {
        using var http = new HttpClient { BaseAddress = address };
        async Task<HttpResponseMessage> Send(HttpMethod method, string path, string? body, string type = "application/json")
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, type) };
            var answer = await http.SendAsync(request);
            Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            return answer;
        }
        using var login = await Send(HttpMethod.Post, "/identity/v3/auth/tokens", System.Text.Json.JsonSerializer.Serialize(new { auth = new { identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain = new { id = "default" }, password = password.Trim() } } }, scope = new { project = new { name = "admin", domain = new { id = "default" } } } } }));
        http.DefaultRequestHeaders.Add("X-Auth-Token", login.Headers.GetValues("X-Subject-Token").Single());
        using var image = await Send(HttpMethod.Post, "/image/v2/images", """{"name":"i","disk_format":"raw","container_format":"bare"}""");
        var id = Regex.Match(await image.Content.ReadAsStringAsync(), "\"id\": ?\"([^\"]+)\"").Groups[1].Value;
        using var bytes = await Send(HttpMethod.Put, $"/image/v2/images/{id}/file", new string('x', 100_000), "application/octet-stream");
        using var server = await Send(HttpMethod.Post, "/compute/v2.1/servers", $$$"""{"server":{"name":"s","flavorRef":"1","imageRef":"{{{id}}}"}}""");
        using var list = await Send(HttpMethod.Get, "/compute/v2.1/servers/detail", null);
    }

    private static async Task<IEnumerable<string>> Names(string group)
    {
        var names = new List<string>();
        foreach (var name in (await Run(Analyze, ["syscall-filter", "--no-pager", group])).Text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#' && l != group))
            if (name[0] == '@') names.AddRange(await Names(name));
            else names.Add(name);
        return names;
    }

    private static async Task<(int Exit, string Text)> Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (text, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await text + await error);
    }
}
