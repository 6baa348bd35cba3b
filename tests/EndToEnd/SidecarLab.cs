using System.Diagnostics;
using System.Net.Sockets;
using System.Threading.Channels;
using Cloud.Agents.Contract.Libvirt;
using Cloud.Tests.Kit;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>A private libvirtd and a sidecar process on it, in a directory of their own.</summary>
public sealed class SidecarLab : IAsyncLifetime
{
    private readonly Channel<DomainEvent> events = Channel.CreateUnbounded<DomainEvent>();
    private readonly CancellationTokenSource ended = new();
    private Process? sidecar;
    private GrpcChannel? channel;
    private Task pump = Task.CompletedTask;

    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("cs-lab-").FullName;
    internal string SocketPath => Path.Combine(Directory, "sidecar.sock");
    internal Libvirt.LibvirtClient Client { get; private set; } = null!;

    internal static void Require() => Assert.SkipUnless(
        Environment.IsPrivilegedProcess && File.Exists("/usr/sbin/libvirtd") && File.Exists("/usr/bin/qemu-system-x86_64"),
        "needs root, libvirtd and qemu-system-x86_64");

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/sbin/libvirtd")) return;
        var uri = await StartLibvirtd();
        sidecar = Sidecar(SocketPath, uri);
        Assert.Equal($"ready {SocketPath}", await sidecar.StandardOutput.ReadLineAsync());
        channel = Open(SocketPath);
        Client = new Libvirt.LibvirtClient(channel);
        var call = Client.Events(new Empty(), cancellationToken: ended.Token);
        await call.ResponseHeadersAsync;
        pump = Pump(call);
        await Connected(Client);
    }

    public async ValueTask DisposeAsync()
    {
        ended.Cancel();
        await pump;
        channel?.Dispose();
        if (sidecar is { HasExited: false })
        {
            sidecar.Kill();
            await sidecar.WaitForExitAsync();
        }
        if (Environment.IsPrivilegedProcess) await Script("stop", Directory, "--guests");
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    internal static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "Cloud.Agents.Sidecar");

    internal static Process Sidecar(string socket, string uri) =>
        Process.Start(new ProcessStartInfo(Executable, ["--socket", socket, "--uri", uri]) { RedirectStandardOutput = true })!;

    /// <summary>Returns when the sidecar has connected to libvirtd, which it does on its own time.</summary>
    internal static async Task Connected(Libvirt.LibvirtClient client)
    {
        while (true)
            try
            {
                await client.ListDomainsAsync(new Empty());
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable) { await Task.Yield(); }
    }

    /// <summary>The next event that fits; others before it are passed over.</summary>
    internal async Task<DomainEvent> Event(Func<DomainEvent, bool> fits)
    {
        using var patience = new CancellationTokenSource(Patience.Span);
        await foreach (var e in events.Reader.ReadAllAsync(patience.Token))
            if (fits(e)) return e;
        throw new InvalidOperationException("the stream of events ended");
    }

    internal Task<string> StartLibvirtd() => Script("start", Directory);

    internal Task KillLibvirtd() => Kill("libvirtd.pid");

    internal Task KillGuest(string name) => Kill($"qemu/{name}.pid");

    private async Task Kill(string pidFile)
    {
        using var process = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(Path.Combine(Directory, "run", pidFile))));
        process.Kill();
        await process.WaitForExitAsync();
    }

    private async Task Pump(AsyncServerStreamingCall<DomainEvent> call)
    {
        try
        {
            await foreach (var e in call.ResponseStream.ReadAllAsync()) await events.Writer.WriteAsync(e);
        }
        catch (RpcException) when (ended.IsCancellationRequested) { }
        finally { events.Writer.Complete(); }
    }

    private static async Task<string> Script(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Root(), "infra/host/libvirtd.sh"), .. arguments])
        {
            RedirectStandardOutput = true,
        })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }

    internal static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Cloud.Serverless.sln"))) directory = Path.GetDirectoryName(directory)!;
        return directory;
    }

    internal static GrpcChannel Open(string path) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        },
    });
}
