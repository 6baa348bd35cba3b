using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Networks;
using Cloud.Agents.Host.Usage;
using Cloud.Tests.Kit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

/// <summary>
/// Hosts, guests and an internet, each a network namespace, on the real kernel. Hosts run the agent's network part;
/// a guest's namespace is joined to its tap by a wire in this process, as qemu would.
/// </summary>
public sealed class NetworkLab : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> things = [];
    private readonly Tool tool = new();
    private readonly Namespaces spaces;

    public NetworkLab()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/net/tun") && File.Exists("/usr/sbin/nft") && File.Exists("/usr/sbin/dnsmasq") && File.Exists("/usr/sbin/conntrack"),
            "needs root, /dev/net/tun, nft, dnsmasq and conntrack");
        Folder = Directory.CreateTempSubdirectory("cs-net-").FullName;
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        spaces = new Namespaces(new HostOptions { Name = "lab", Data = Folder }, tool);
    }

    public string Folder { get; }

    public ITool In(string space) => spaces.In(space);

    public T Run<T>(string space, Func<T> act) => spaces.Run(space, act);

    /// <summary>A machine without anything of ours.</summary>
    public async Task<ITool> Space(string name)
    {
        spaces.Ensure(name, ("net/ipv6/conf/default/accept_dad", "0"), ("net/ipv4/ip_forward", "0"), ("net/ipv6/conf/default/router_solicitation_delay", "0"));
        await In(name).Run("ip", ["link", "set", "lo", "up"], Patience.Token);
        return In(name);
    }

    /// <summary>A cable between two machines.</summary>
    public Task Cable(string space, string device, string otherSpace, string otherDevice) =>
        In(space).Run("ip", ["link", "add", device, "type", "veth", "peer", "name", otherDevice, "netns", spaces.File(otherSpace)], Patience.Token);

    public async Task<LabHost> Host(string name, string tunnelAddress = "", params (string Name, string Bridge)[] physical)
    {
        await Space(name);
        var options = new HostOptions { Name = name, Data = Path.Combine(Folder, name), TunnelAddress = tunnelAddress, Physical = physical.ToDictionary(p => p.Name, p => p.Bridge) };
        DataFolder.Open(options).Dispose();
        var host = new LabHost(name, options, In(name));
        things.Add(host);
        return host;
    }

    /// <summary>A guest that has a kernel of its own: its eth0 is the port's tap.</summary>
    /// <param name="address">With prefix length; the default route is then 10.0.0.1. Null: not set.</param>
    public async Task<ITool> Guest(LabHost host, PortSpec port, string name, string? address = null)
    {
        await Space(name);
        var wire = new Wire(await Nic(host, port), Run(name, () => new Nic("eth0")));
        things.Add(wire);
        await In(name).Run("ip", ["link", "set", "dev", "eth0", "address", port.Mac, "mtu", "1450", "up"], Patience.Token);
        if (address?.Contains(':', StringComparison.Ordinal) == true)
            await Ip.Apply(In(name), new Script().Add($"addr add {address} dev eth0 nodad"), Patience.Token);
        else if (address is not null)
            await Ip.Apply(In(name), new Script().Add($"addr add {address} dev eth0\nroute add default via 10.0.0.1"), Patience.Token);
        return In(name);
    }

    /// <summary>The bare end of a port's tap. Returns when the bridge has seen that somebody holds it, which it does on its own time.</summary>
    public async Task<Nic> Nic(LabHost host, PortSpec port)
    {
        var tap = Names.Tap(port.PortId);
        var nic = Run(host.Name, () => new Nic(tap));
        things.Add(new Closing(nic));
        await Eventually(async () => (await host.Tool.Run("ip", ["-d", "-o", "link", "show", "dev", tap], Patience.Token)).Contains(" state forwarding ", StringComparison.Ordinal));
        return nic;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var thing in things.AsEnumerable().Reverse())
            await thing.DisposeAsync();
        foreach (var name in spaces.All())
            spaces.Remove(name);

        Directory.Delete(Folder, recursive: true);
    }

    public TcpListener Listen(string space, string address, int port) => Run(space, () =>
    {
        var listener = new TcpListener(IPAddress.Parse(address), port);
        listener.Start();
        return listener;
    });

    /// <summary>Null when nobody answers within a second.</summary>
    public async Task<Socket?> Connect(string space, string address, int port)
    {
        var (socket, target) = Run(space, () =>
        {
            var target = new IPEndPoint(IPAddress.Parse(address), port);
            return (new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp), target);
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await socket.ConnectAsync(target, patience.Token);
            return socket;
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>What the kernel does on its own time.</summary>
    public async Task Eventually(Func<Task<bool>> holds)
    {
        var patience = Patience.Token;
        while (!await holds())
            await Task.Delay(50, patience);
    }


    /// <summary>A host with a provider network <c>public</c>, and an internet at 198.51.100.1 on it.</summary>
    public async Task<(LabHost Host, ITool Internet)> HostWithInternet()
    {
        var host = await Host("h", physical: ("public", "br-ex"));
        var internet = await Space("internet");
        await Cable("h", "xh", "internet", "x0");
        await Ip.Apply(host.Tool, new Script().Add($"link add br-ex up type bridge\nlink set xh up master br-ex"), Patience.Token);
        await Ip.Apply(internet, new Script().Add($"addr add 198.51.100.1/24 dev x0\nlink set x0 up"), Patience.Token);
        return (host, internet);
    }

    private sealed class Closing(IDisposable thing) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            thing.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Wire : IAsyncDisposable
    {
        private readonly Nic a, b;

        public Wire(Nic a, Nic b)
        {
            (this.a, this.b) = (a, b);
            a.Sink = b.Send;
            b.Sink = a.Send;
        }

        public ValueTask DisposeAsync()
        {
            b.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

public static class LabTools
{
    public static async Task<bool> Pings(this ITool from, string address, string seconds = "1") =>
        (await from.Try("ping", ["-c", "1", "-W", seconds, address], Patience.Token)).ExitCode == 0;
}

/// <summary>One host's network part.</summary>
public sealed class LabHost : IAsyncDisposable
{
    public LabHost(string name, HostOptions options, ITool tool)
    {
        (Name, Options, Tool) = (name, options, new RecordingTool(tool));
        Ledger = new Ledger(DataFolder.LedgerFile(options));
        Start();
    }

    public string Name { get; }
    public HostOptions Options { get; }
    public RecordingTool Tool { get; }
    public Ledger Ledger { get; }
    public NetworkParts Parts { get; private set; } = null!;

    /// <summary>Name of its rule set.</summary>
    public string Table => new Marks(Options).Table.Text;

    /// <summary>What guests asked of the metadata service: who it took them for.</summary>
    public RequestDelegate Metadata { get; set; } = http => http.Response.WriteAsync(http.Request.Headers["X-Instance-ID"].ToString());

    /// <summary>A new agent on the same host and folder.</summary>
    public async Task Restart()
    {
        await Parts.DisposeAsync();
        Start();
        await Parts.Holder.Recover(Patience.Token);
    }

    /// <summary>As a command from the control plane.</summary>
    public async Task<CommandReply> Do(Command command)
    {
        var handlers = new HandlerTable().On<EnsureNetwork>(Parts.Networks).On<EnsureGroup>(Parts.Groups).On<EnsurePort>(Parts.Ports).On<RemovePort>(Parts.Ports).On<EnsureRouter>(Parts.Routers).On<RemoveRouter>(Parts.Routers);
        var inbox = new Inbox(Ledger, handlers, new KeyLock(), 8, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        return await inbox.Handle(new CommandMessage(Guid.NewGuid().ToString(), Name, Ledger.Fence(command.Key) + 1, "", command), Patience.Token);
    }

    public async Task Must(Command command)
    {
        var reply = await Do(command);
        Assert.True(reply.Outcome == Outcome.Done, reply.Message);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var port in Ledger.All<EnsurePort>())
            await Do(new RemovePort(port.Port.PortId));
        foreach (var router in Ledger.All<EnsureRouter>())
            await Do(new RemoveRouter(router.Router.RouterId));
        await Parts.DisposeAsync();
        Ledger.Dispose();
    }

    /// <summary>Runs programs in a namespace that this host's agent made.</summary>
    public ITool Inside(string space) => new Namespaces(Options, Tool).In(space);

    /// <summary>All that an agent can have made here, as text: interfaces, rules, namespaces with theirs, processes, files, settings.</summary>
    public async Task<string> Picture()
    {
        var picture = new StringBuilder(await Picture(Tool));
        picture.Append(await Tool.Run("sysctl", ["net.bridge"], Patience.Token));
        foreach (var space in new Namespaces(Options, Tool).All().Order(StringComparer.Ordinal))
            picture.AppendLine(space).Append(await Picture(Inside(space)));
        foreach (var file in Directory.EnumerateFiles(Options.Networks, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            picture.AppendLine(file).AppendLine(file.EndsWith(".pid", StringComparison.Ordinal) || file.Contains("/ns/", StringComparison.Ordinal) ? "" : File.ReadAllText(file));
        foreach (var line in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)).Select(CommandLine).Where(l => l.Contains(Options.Networks, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            picture.AppendLine(line);
        return picture.ToString();
    }

    private static async Task<string> Picture(ITool tool)
    {
        var (interfaces, routes) = await Ip.All(tool, Patience.Token);
        var lines = interfaces.Values.Select(i => $"{i.Name} {i.Kind} {i.Master} {i.Mtu} {i.Alias} {string.Join(',', i.Flags.Order(StringComparer.Ordinal))} {string.Join(',', i.Addresses.Select(a => a.ToString()).Order(StringComparer.Ordinal))} {Setting(i)}")
            .Concat(routes.Where(r => r.Protocol == "static").Select(r => r.ToString())).Order(StringComparer.Ordinal);
        return string.Join('\n', lines) + "\n" + await tool.Run("nft", ["-s", "list", "ruleset"], Patience.Token);
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(process + "/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return "";
        }
    }

    private static string Setting(Interface i) => i.Kind == "bridge" ? i.Info!.Data!.Value.GetProperty("nf_call_iptables").ToString() : "";

    private void Start() => Parts = new NetworkParts(Options, Tool, Ledger, new Finals(Ledger), TimeProvider.System, http => Metadata(http), NullLoggerFactory.Instance);
}

/// <summary>Remembers which programs were run.</summary>
public sealed class RecordingTool(ITool tool) : ITool
{
    private readonly ConcurrentQueue<string> calls = new();

    public Task<ToolResult> Try(ToolCall call, CancellationToken ct)
    {
        calls.Enqueue(call.ToString());
        return tool.Try(call, ct);
    }

    /// <summary>Those since the last time.</summary>
    public IReadOnlyList<string> Take()
    {
        var taken = new List<string>();
        while (calls.TryDequeue(out var call))
            taken.Add(call);
        return taken;
    }
}
