using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;

namespace Cloud.Telemetry;

/// <summary>Gnocchi's API, version 1: https://gnocchi.osci.io/rest.html. See docs/telemetry.md.</summary>
public static class Api
{
    private static readonly string[] Parts = ["aggregates", "aggregation", "archive_policy", "archive_policy_rule", "batch", "capabilities", "influxdb", "metric", "resource", "resource_type", "search", "status"];

    public static readonly Slice Slice = new("metric", "metric", GnocchiDialect.Value,
    [
        new("GET", "/healthcheck", Policy.Anyone, _ => new(new Reply { Status = 200, Text = "OK", ContentType = "text/plain" })),
        .. Writers.Routes,
        .. ((Route[])[
        new("GET", "/", Policy.Anyone, c => new(Versions(c))), new("GET", "/v1", Policy.Anyone, c => new(Index(c))),
        .. ArchivePolicies.Routes, .. ResourceTypes.Routes, .. Resources.Routes, .. Metrics.Routes, .. Batches.Routes, .. Aggregates.Routes, .. OldAggregation.Routes, .. ValueSearch.Routes,
        new("GET", "/v1/capabilities", "metric:get_definitions", _ => new(Reply.Object(200, w => Writing.Strings(w, "aggregation_methods", ArchivePolicy.AllMethods.Order(StringComparer.Ordinal))))),
        new("GET", "/v1/status", "metric:status", c => new(Status(c))),
        ]).Select(AsJson),
    ])
    {
        CatalogName = "gnocchi", OnStart = Standard.Make, OnEvent = Mirror.OnEvent, OnSamples = FromHosts.OnSamples, Jobs = [new("forget", TimeSpan.FromHours(6), Mirror.Forget)],
        Queues = [new QueueTrigger("queue-metric-clear", Clearing.Queue, 4, Sessions: false, Clearing.Handle)],
        Leftovers = [Catalogue.Entries],
    };

    /// <summary>What a client doesn't accept isn't made for it.</summary>
    private static Route AsJson(Route route) => route with
    {
        Run = c => c.Header("Accept") is { Length: > 0 } accept && !Array.Exists(["json", "*/*", "application/*"], a => accept.Contains(a, StringComparison.OrdinalIgnoreCase)) ? throw new Fault(406, "The answer is application/json.") : route.Run(c),
    };

    private static Reply Versions(Call c) => Reply.Object(200, w =>
    {
        w.WriteString("build", "4.4.2");
        w.Objects("versions", [0], _ =>
        {
            w.WriteString("id", "v1.0");
            w.WriteString("status", "CURRENT");
            w.WriteString("updated", "2015-03-19");
            w.Links(("self", c.BaseUrl + "/v1/"));
        });
    });

    private static Reply Index(Call c) => Reply.Object(200, w =>
    {
        w.WriteString("version", "1.0");
        w.Links([("self", c.BaseUrl + "/v1"), .. Parts.Select(p => (p, $"{c.BaseUrl}/v1/{p}"))]);
    });

    /// <summary>Nothing ever waits to be processed, and no process does it.</summary>
    private static Reply Status(Call c)
    {
        var details = Bodies.Flag(c, "details", or: true);
        return Reply.Object(200, w =>
        {
            w.Object("storage", () =>
            {
                w.Object("summary", () => { w.WriteNumber("metrics", 0); w.WriteNumber("measures", 0); });
                if (details) w.Object("measures_to_process", () => { });
            });
            w.Object("metricd", () => { w.Strings("processors", []); w.Object("statistics", () => { }); });
        });
    }
}
