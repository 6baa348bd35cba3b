using System.Net.Sockets;
using Cloud.Agents.Contract;
using Cloud.Agents.Sidecar;
using Microsoft.AspNetCore.Server.Kestrel.Core;

if (args is ["--kvm"])
{
    Console.WriteLine(Kvm.Works() ? "kvm" : "tcg");
    return 0;
}
if (SidecarOptions.Parse(args, Environment.GetEnvironmentVariable("LIBVIRT_URI")) is not { } options)
{
    Console.Error.WriteLine(SidecarOptions.Usage);
    return 2;
}
if (await Answers(options.Socket))
{
    Console.Error.WriteLine($"another process serves {options.Socket}");
    return 1;
}
File.Delete(options.Socket);   // left by one that was killed
_ = Native.umask(0x7F);   // 0177: the socket is for this user alone from the moment it exists
ThreadPool.SetMinThreads(32, 8);   // libvirt's calls block

using var traces = Tracing.Export("cloud-sidecar", Environment.GetEnvironmentVariable);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true)
    .AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Error);
builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.AddSingleton<DomainEvents>().AddSingleton<HostProbe>()
    .AddSingleton(services => new Connection(options.Uri, services.GetRequiredService<DomainEvents>(), services.GetRequiredService<ILogger<Connection>>()))
    .AddHostedService(services => services.GetRequiredService<Connection>())
    .AddGrpc(grpc =>
    {
        grpc.Interceptors.Add<TraceInterceptor>();
        grpc.Interceptors.Add<ErrorInterceptor>();
    });
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(options.Socket, listen => listen.Protocols = HttpProtocols.Http2));
await using var app = builder.Build();
app.MapGrpcService<LibvirtService>();
await app.StartAsync();
Console.WriteLine($"ready {options.Socket}");
await app.WaitForShutdownAsync();
return 0;

static async Task<bool> Answers(string path)
{
    using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    try
    {
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return true;
    }
    catch (SocketException)
    {
        return false;
    }
}
