using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Hosting;
using Cloud.Platform.Local;
using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Cloud.Platform.Tables;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;

namespace Cloud;

/// <summary>
/// The control plane as a custom handler of Azure Functions: the host reads queues and clocks and passes on requests; nothing here runs by itself.
/// Requests keep their path, queues and timers are posted to the function's name.
/// </summary>
public static class CustomHandler
{
    public const string Port = "FUNCTIONS_CUSTOMHANDLER_PORT";
    /// <summary>Directory of what is not in <see cref="Tables"/>.</summary>
    public const string Data = "CLOUD_DATA";
    /// <summary>Connection string of the storage account whose table holds the state; a file in the directory does where it is not set.</summary>
    public const string Tables = "CLOUD_TABLES";
    /// <summary>Address under which clients and hosts reach the cloud; Azure's own name for the app where it is not set.</summary>
    public const string Url = "CLOUD_URL";
    /// <summary>A <see cref="SettingsFile"/>; none when it is not set.</summary>
    public const string SettingsPath = "CLOUD_SETTINGS";

    /// <summary>Runs until the host stops it.</summary>
    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static async Task Run(Func<string, string?> environment)
    {
        if (!int.TryParse(environment(Port), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > 65535) throw new ArgumentException($"{Port} is not a port");
        var data = environment(Data) ?? throw new ArgumentException($"{Data} must name a directory: this version keeps its messages there, not yet in Service Bus");
        Directory.CreateDirectory(data);
        File.SetUnixFileMode(data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        var url = environment(Url) ?? (environment("WEBSITE_HOSTNAME") is { } name ? $"https://{name}" : $"http://127.0.0.1:{port}");
        var settings = SettingsFile.Apply(environment(SettingsPath), new() { AdminPassword = Credentials.Secret(data, "admin-password"), DemoPassword = Credentials.Secret(data, "demo-password"), ControlUrl = url });
        var ids = new TimeOrderedIds(TimeProvider.System);
        IEntityStore store = environment(Tables) is { } connection ? new TableStore(new(connection, "cloud", TimeProvider.System), state.Bus, TimeProvider.System, ids) : state.Store;
        var services = Composition.Services(store, state.Bus, new FileBlobs(Path.Combine(data, "blobs")), TimeProvider.System, ids,
            settings, objects: ObjectStores.Of(settings, [], data));
        await Composition.Start(services);

        await using var web = WebServer.Build(data, new IPEndPoint(IPAddress.Loopback, port));
        Map(web, services, new BusDoor(state.Bus, Credentials.Secret(data, "bus-key")));
        await web.RunAsync();
    }

    private static void Map(WebApplication web, Services services, BusDoor door)
    {
        var log = web.Services.GetRequiredService<ILoggerFactory>().CreateLogger("cloud");
        var router = new Router(services, (e, text) => log.LogError(e, "{Text}", text));
        // The host passes on only paths of its HTTP routes, and none of those begins like the name of another function.
        var functions = Triggers.All(services.Slices).Where(t => t is not HttpTrigger).ToFrozenDictionary(t => "/" + t.Name);
        // The host's front end ends TLS; it is the only one that can connect.
        web.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost });
        web.Run(http =>
        {
            var target = http.Features.Get<IHttpRequestFeature>()!.RawTarget;
            if (http.Request.Method == "POST" && functions.TryGetValue(target, out var trigger)) return Invocation.Serve(http, services, trigger, log);
            return target.StartsWith(BusDoor.Path, StringComparison.Ordinal) ? door.Serve(http) : Http.Serve(http, router);
        });
    }
}
