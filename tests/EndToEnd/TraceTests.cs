using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Agents.Contract.Libvirt;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Domains;
using Cloud.Agents.Host.Handlers;
using Cloud.Agents.Host.Metadata;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Tracing = Cloud.Agents.Contract.Tracing;

namespace Cloud.Tests.EndToEnd;

/// <summary>Where spans and numbers go: to a collector that speaks OpenTelemetry's protocol, from processes as they are.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class TraceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-trace-").FullName;
    private readonly OtlpCollector _collector = new();
    private readonly List<Process> _processes = [];

    [Fact]
    public async Task One_trace_leads_from_the_request_through_saga_and_host_to_the_guest()
    {
        Assert.SkipUnless(NativeLibrary.TryLoad("libvirt.so.0", out _), "needs libvirt's library");
        using var watched = new WatchedTrace();
        var (trace, spans) = (watched.Trace, watched.Spans);
        var stage = new Stage(await TestCloud.Start(), []);
        await stage.Net();
        await stage.Image();
        await stage.Server();
        var id = stage["server"];

        // The guest runs under libvirt's make-believe hypervisor, behind the sidecar's own socket.
        var socket = Path.Combine(_directory, "s.sock");
        var sidecar = Start(SidecarLab.Executable, ["--socket", socket, "--uri", "test:///default"]);
        Assert.Equal($"ready {socket}", await sidecar.StandardOutput.ReadLineAsync());
        using (var channel = SidecarLab.Open(socket))
        {
            await SidecarLab.Connected(new(channel));
            var libvirt = new Libvirt.LibvirtClient(channel);
            await libvirt.DefineAsync(new DomainXml { Xml = $"<domain type='test'><name>{Names.Domain(id)}</name><memory>65536</memory><os><type>hvm</type></os></domain>" });
            Assert.Equal(DomainState.Running, (await libvirt.StartAsync(new DomainRef { Name = Names.Domain(id) })).State);
        }
        var commands = new List<CommandMessage>();
        stage.Cloud.Line = (host, m) =>
        {
            commands.Add(m);
            return [host.Handle(m)!];
        };
        using (Tracing.Begin("DELETE", ActivityKind.Server, $"00-{trace}-00f067aa0ba902b7-01")) Stage.Good(await stage.Send("DELETE", $"/compute/v2.1/servers/{id}"));
        await stage.Cloud.Drain();

        // The host's real parts carry out what the saga asked of it.
        var options = new HostOptions { Name = "h", Data = _directory };
        using var ledger = new Ledger(Path.Combine(_directory, "ledger.db"));
        using var hypervisor = new SidecarHypervisor(socket, TimeProvider.System);
        var (consoles, drives) = (new Consoles(options), new ConfigDrives(options, new MetadataTree(ledger)));
        var guests = new Guests(options, hypervisor, new Changes(), consoles, drives, TimeProvider.System, NullLogger<Guests>.Instance);
        var inbox = new Inbox(ledger, new HandlerTable().On<RemoveDomain>(new DomainHandlers(guests, new GuestNotes(ledger), consoles, drives, hypervisor, ledger)), new KeyLock(), 1, NullLogger.Instance);
        await inbox.Handle(Assert.Single(commands, c => c.Command is RemoveDomain), TestContext.Current.CancellationToken);
        // Make-believe guests can be switched off, but not forgotten with their checkpoints.
        Assert.Equal(DomainState.Off, Assert.Single(await hypervisor.List(TestContext.Current.CancellationToken)).State);

        var last = await _collector.Next(s => s.Name.StartsWith("libvirt/Destroy", StringComparison.Ordinal));
        var path = new List<string> { last.Name };
        for (var parent = last.Parent; spans.FirstOrDefault(s => s.SpanId.ToHexString() == parent) is { } span; parent = span.ParentSpanId.ToHexString()) path.Add(span.DisplayName);
        Assert.Equal(trace.ToHexString(), last.Trace);
        Assert.Equal(["RemoveDomain", "DELETE /compute/v2.1/servers/{id}"], [path[1], path[^1]]);
        Assert.Contains(path[2..^1], name => name.StartsWith("server-delete-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cloud_exports_spans_and_numbers_and_no_secret()
    {
        var address = CloudCommand.FreeAddress();
        var cloud = Start(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions"), ["up", "--data", Path.Combine(_directory, "cloud"), "--listen", address, "--simulated", "1"]);
        while (await cloud.StandardOutput.ReadLineAsync() is { } line && !line.StartsWith("ready ", StringComparison.Ordinal)) { /* it will say so */ }
        using var http = new HttpClient { BaseAddress = new("http://" + address) };
        var password = (await File.ReadAllTextAsync(Path.Combine(_directory, "cloud", "admin-password"))).Trim();
        var domain = new { id = "default" };
        using var login = await http.PostAsJsonAsync("/identity/v3/auth/tokens", new { auth = new { identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain, password } } }, scope = new { project = new { name = "admin", domain } } } });
        var token = login.Headers.GetValues("X-Subject-Token").Single();
        var project = (await login.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetProperty("project").GetProperty("id").GetString();
        http.DefaultRequestHeaders.Add("X-Auth-Token", token);
        using var volume = await http.PostAsJsonAsync($"/volume/v3/{project}/volumes", new { volume = new { size = 1, name = "private-name" } });
        Assert.True(volume.IsSuccessStatusCode, await volume.Content.ReadAsStringAsync());
        using var hook = await http.PostAsJsonAsync("/events/v1/webhooks", new { webhook = new { url = "http://hook.example/?key=hidden-in-url" } });
        var secret = (await hook.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("secret").GetString()!;

        var turn = await _collector.Next(s => s.Name.StartsWith("volume-create-", StringComparison.Ordinal));
        Assert.Contains(_collector.Spans, s => s.Trace == turn.Trace && s.Name == "POST /volume/v3/{project_id}/volumes");
        Assert.Equal(0, kill(cloud.Id, 15));
        await cloud.WaitForExitAsync();
        // What was measured last leaves with the process.
        Assert.NotEmpty(_collector.Metrics);
        var all = _collector.Everything;
        Assert.Contains("cloud-control-plane", all, StringComparison.Ordinal);
        foreach (var hidden in new[] { password, token, secret, "hidden-in-url", "private-name" }) Assert.DoesNotContain(hidden, all, StringComparison.Ordinal);
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        foreach (var (name, value) in _collector.Environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        _processes.Add(process);
        return process;
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        _collector.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [DllImport("libc")] private static extern int kill(int process, int signal);
}
