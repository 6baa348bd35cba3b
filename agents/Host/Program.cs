using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Disks;
using Cloud.Agents.Host.Domains;
using Cloud.Agents.Host.Linux;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

HostOptions options;
try
{
    options = HostOptions.Parse(args);
}
catch (Exception e) when (e is ArgumentException or HandlerFault)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(HostOptions.Usage);
    return 2;
}

using var traces = Tracing.Export("cloud-host-agent", Environment.GetEnvironmentVariable);
try
{
    using var folder = DataFolder.Open(options);
    using var ledger = new Ledger(DataFolder.LedgerFile(options));
    using var hypervisor = new SidecarHypervisor(options.Sidecar, TimeProvider.System);
    using var images = new ImageSource(options);

    File.Delete(options.MetadataSocket);
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true).AddFilter("Microsoft", LogLevel.Warning);
    builder.Logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 4096;
        kestrel.Limits.MaxConcurrentConnections = 1000;
        kestrel.ListenUnixSocket(options.MetadataSocket);
    });
    await using var app = builder.Build();
    var logs = app.Services.GetRequiredService<ILoggerFactory>();

    await using var link = new HostLink(options.Control, options.Name, options.CredentialFile, TimeProvider.System, logs);
    var boot = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim();
    var agent = new Agent(new AgentParts(options, ledger, hypervisor, new Tool(), images, link, boot, TimeProvider.System, logs));
    agent.Metadata.Map(app);
    await app.StartAsync();
    File.SetUnixFileMode(options.MetadataSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    await agent.Run(() => Console.WriteLine($"ready {options.Name}"), app.Lifetime.ApplicationStopping);
    await app.StopAsync();
    return 0;
}
catch (OperationCanceledException)
{
    return 0;
}
catch (IOException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
