using Cloud.Tests.Kit;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;

namespace Cloud.Tests.Containers;

/// <summary>
/// A compute host in a container: libvirtd, sidecar and agent, with a network, mounts and processes of its own (host.sh). Programs are this machine's, mounted so
/// that nobody can write them. It may do what it needs for networks and namespaces, and no more: --privileged can't be had everywhere.
/// </summary>
public sealed class ContainedHost : IAsyncDisposable
{
    private static readonly string[] s_may = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "IPC_LOCK", "SYS_NICE", "MKNOD"];

    private readonly Docker _docker;
    private readonly IContainer _container;
    private readonly string _data;

    private ContainedHost(Docker docker, IContainer container, string data) => (_docker, _container, _data) = (docker, container, data);

    /// <param name="data">Its own folder, which holds its secret.</param>
    public static async Task<ContainedHost> Start(Docker docker, string name, string data, int api, int amqp)
    {
        var cache = Directory.CreateDirectory(Repository.Path(".cache/libvirt")).FullName;
        var builder = (await docker.Container("host", "/bin/busybox")).WithHostname(name)
            .WithEntrypoint("/bin/bash", "/tests/host.sh", data, name, docker.Gateway, $"{api}", $"{amqp}").WithEnvironment("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
            .WithBindMount(data, data).WithBindMount(cache, "/libvirt-cache")
            .WithCreateParameterModifier(p =>
            {
                p.HostConfig!.CapAdd = s_may;
                p.HostConfig.SecurityOpt = ["seccomp=unconfined", "apparmor=unconfined"];
                p.HostConfig.Devices = [new() { PathOnHost = "/dev/net/tun", PathInContainer = "/dev/net/tun", CgroupPermissions = "rwm" }];
            })
            .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged("ready " + name, w => w.WithTimeout(Patience.Span)));
        foreach (var (here, there) in new[] { ("/usr", "/usr"), ("/etc/passwd", "/etc/passwd"), ("/etc/group", "/etc/group"), ("/etc/alternatives", "/etc/alternatives"), (AppContext.BaseDirectory.TrimEnd('/'), "/cloud"), (Repository.Path("infra"), "/infra"), (Repository.Path("tests/Containers"), "/tests") })
            builder = builder.WithBindMount(here, there, DotNet.Testcontainers.Configurations.AccessMode.ReadOnly);
        var container = builder.Build();
        await container.StartAsync();
        return new(docker, container, data);
    }

    /// <summary>With kill -9; what it had started goes on.</summary>
    public Task KillAgent() => _docker.Run(_container, "/usr/bin/pkill", "-9", "-f", "^/cloud/Cloud.Agents.Host");

    public void StartAgent() => File.WriteAllText(Path.Combine(_data, "again"), "");

    /// <summary>Guests, interfaces but for its own line, namespaces, name servers and disks.</summary>
    public async Task<string> Things() => await _docker.Run(_container, "/bin/bash", "-c", $"""
        pgrep -a 'qemu|dnsmasq' | grep -o 'guest=cs-[^,]*\|dnsmasq'
        ip -o link | cut -d: -f2 | grep -v ' lo$\| eth0'
        find {_data}/host/networks/ns {_data}/host/disks -mindepth 1 2> /dev/null
        true
        """);

    public ValueTask DisposeAsync() => _docker.Remove(_container);
}
