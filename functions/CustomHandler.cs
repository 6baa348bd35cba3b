using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using Cloud.Platform;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
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
    /// <summary>Directory of what the others leave.</summary>
    public const string Data = "CLOUD_DATA";
    /// <summary>
    /// The storage account whose table holds the state, by its connection string or by the address of its tables (<see cref="Platform.Net.KeylessAddress"/>); a file in the directory does where
    /// it is not set.
    /// </summary>
    public const string Tables = "CLOUD_TABLES";
    /// <summary>The broker (<see cref="Platform.Bus.Brokers.Broker.Parse"/>); messages are in the directory where it is not set.</summary>
    public const string Bus = "CLOUD_BUS";
    /// <summary>The storage account that holds images and objects, by its connection string or by the address of its blobs; the directory does where it is not set.</summary>
    public const string Blobs = "CLOUD_BLOBS";
    /// <summary>Client id of the managed identity that is shown to addresses; the app's own where it is not set.</summary>
    public const string Client = "AZURE_CLIENT_ID";
    /// <summary>Of the first administrator; made up and kept in the directory where it is not set.</summary>
    public const string AdminPassword = "CLOUD_ADMIN_PASSWORD";
    /// <summary>Address under which clients and hosts reach the cloud; Azure's own name for the app where it is not set.</summary>
    public const string Url = "CLOUD_URL";
    /// <summary>A <see cref="SettingsFile"/>; none when it is not set.</summary>
    public const string SettingsPath = "CLOUD_SETTINGS";

    /// <summary>Runs until the host stops it.</summary>
    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static async Task Run(Func<string, string?> environment)
    {
        if (!int.TryParse(environment(Port), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > 65535) throw new ArgumentException($"{Port} is not a port");
        var (clock, ids) = (TimeProvider.System, new TimeOrderedIds(TimeProvider.System));
        await using var web = WebServer.Build(AppContext.BaseDirectory, new IPEndPoint(IPAddress.Loopback, port));
        await using var places = new HandlerPlaces(environment, clock, ids, web.Services.GetRequiredService<ILoggerFactory>().CreateLogger("cloud"));
        var url = environment(Url) ?? (environment("WEBSITE_HOSTNAME") is { } name ? $"https://{name}" : $"http://127.0.0.1:{port}");
        var settings = SettingsFile.Apply(environment(SettingsPath), new() { AdminPassword = places.Password, DemoPassword = places.DemoPassword, ControlUrl = url });
        var services = Composition.Services(places.Store, places.Bus, places.Images, clock, ids, settings, objects: places.Objects(settings));
        await Composition.StartOnce(services);
        Map(web, services, places.Door);
        await web.RunAsync();
    }

    private static void Map(WebApplication web, Services services, BusDoor? door)
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
            return door is not null && target.StartsWith(BusDoor.Path, StringComparison.Ordinal) ? door.Serve(http) : Http.Serve(http, router);
        });
    }
}
