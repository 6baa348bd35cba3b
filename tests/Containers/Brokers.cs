using Cloud.Tests.Kit;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;

namespace Cloud.Tests.Containers;

/// <summary>RabbitMQ as <see cref="RabbitMq"/> runs it, in a container.</summary>
public sealed class ContainedRabbitMq : IBrokerProcess, IAsyncDisposable
{
    private const int Port = 5672;
    private const string Ready = "completed with";
    private static readonly string[] s_files =
    [
        "/usr/lib/erlang", "/usr/lib/rabbitmq", "/usr/bin/epmd", "/usr/bin/erl",
        .. "sh dash basename dirname sed grep cat readlink hostname id mkdir rm stat uname sleep test tr cut env ls head".Split(' ').Select(p => "/usr/bin/" + p),
    ];

    private readonly Docker _docker;
    private readonly IContainer _container;
    private readonly int _port;

    private ContainedRabbitMq(Docker docker, IContainer container, int port) => (_docker, _container, _port) = (docker, container, port);

    public string Connection => $"amqp://guest:guest@127.0.0.1:{_port}";

    public static async Task<ContainedRabbitMq> Start(Docker docker)
    {
        var port = CloudCommand.FreePort();
        var settings = RabbitMq.Settings("/data", "0.0.0.0", Port, 25672, 4369);
        // Whoever is not of its own machine may be guest only where that is allowed.
        var container = (await docker.Container("rabbitmq", s_files)).WithEnvironment(settings).WithPortBinding(port, Port)
            .WithEntrypoint("/bin/sh", "-c", "echo '[rabbitmq_amqp1_0].' > /data/plugins; : > /data/env; echo 'loopback_users = none' > /data/rabbitmq.conf; exec /usr/lib/rabbitmq/bin/rabbitmq-server")
            .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged(Ready, w => w.WithTimeout(Patience.Span))).Build();
        await container.StartAsync();
        return new(docker, container, port);
    }

    public async Task Restart()
    {
        await _docker.Run(_container, ["/usr/lib/rabbitmq/bin/rabbitmqctl", .. RabbitMq.Written]);
        await _docker.Restart(_container, Ready);
    }

    public ValueTask DisposeAsync() => _docker.Remove(_container);
}

/// <summary>Azurite as <see cref="Azurite"/> runs it, in a container.</summary>
public sealed class ContainedAzurite : IAsyncDisposable
{
    private const string OwnModules = "/usr/share/nodejs";

    private readonly Docker _docker;
    private readonly IContainer _container;

    private ContainedAzurite(Docker docker, IContainer container, string connection) => (_docker, _container, Connection) = (docker, container, connection);

    public string Connection { get; }

    /// <summary>Null where it isn't installed.</summary>
    public static async Task<ContainedAzurite?> Start(Docker docker, string service)
    {
        if (Azurite.Program(service) is not { } program || !File.Exists("/usr/bin/node")) return null;
        var port = CloudCommand.FreePort();
        var modules = Path.GetDirectoryName(Path.GetDirectoryName(program))!;
        var builder = await docker.Container("azurite", "/usr/bin/node", modules);
        // Debian's node has some modules of its own there.
        if (Directory.Exists(OwnModules)) builder = builder.WithBindMount(OwnModules, OwnModules, DotNet.Testcontainers.Configurations.AccessMode.ReadOnly);
        var container = builder.WithPortBinding(port, 10000)
            .WithEntrypoint("/usr/bin/node", File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program).WithCommand(Azurite.Arguments(service, "0.0.0.0", "10000", "/data"))
            .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged(" successfully ", w => w.WithTimeout(Patience.Span))).Build();
        await container.StartAsync();
        return new(docker, container, Azurite.ConnectionOf(service, $"127.0.0.1:{port}"));
    }

    public ValueTask DisposeAsync() => _docker.Remove(_container);
}
