using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>What Nova documents and this cloud doesn't have: 501, an empty list where clients only look, or 404 from the version on that took it away.</summary>
public static class Unoffered
{
    private const string Root = "/v2.1/", Server = "/v2.1/servers/{id}";

    public static readonly Route[] Routes =
    [
        Empty("os-server-groups", "server_groups"), .. Each("Server groups are not offered.", "compute:create", "POST os-server-groups"), NotThere("GET os-server-groups/{group}"), NotThere("DELETE os-server-groups/{group}"),
        Empty("os-aggregates", "aggregates", "admin"), .. Each("Aggregates are not offered.", "admin", "POST os-aggregates", "GET os-aggregates/{aggregate}", "PUT os-aggregates/{aggregate}", "DELETE os-aggregates/{aggregate}", "POST os-aggregates/{aggregate}/images"),
        .. new[] { "add_host", "remove_host", "set_metadata" }.Select(a => Route.Missing("POST", Root + "os-aggregates/{aggregate}/action", "admin", "Aggregates are not offered.", a)),
        Empty("os-migrations", "migrations", "admin"), Empty("extensions", "extensions"), NotThere("GET extensions/{alias}"),
        .. Each("Usage is kept by the metering service.", "authenticated", "GET os-simple-tenant-usage/{project}"), .. Each("Usage is kept by the metering service.", "admin", "GET os-simple-tenant-usage", "GET os-instance_usage_audit_log", "GET os-instance_usage_audit_log/{before}"),
        .. Each("Guest agents are not kept.", "admin", "GET os-agents", "POST os-agents", "PUT os-agents/{agent}", "DELETE os-agents/{agent}"),
        .. Each("Snapshots are made by the block storage service.", "admin", "POST os-assisted-volume-snapshots", "DELETE os-assisted-volume-snapshots/{snapshot}"),
        .. Each("Events come from within this cloud only.", "admin", "POST os-server-external-events"), .. Each("Remote consoles are not offered; read the console output.", "admin", "GET os-console-auth-tokens/{token}"),
        .. Each("Bare metal is not offered.", "admin", "GET os-baremetal-nodes", "GET os-baremetal-nodes/{node}"),
        OfServer("POST", "/remote-consoles", "Remote consoles are not offered; read the console output."), OfServer("GET", "/diagnostics", "Diagnostics are not offered."), OfServer("GET", "/topology", "The topology is not kept."),
        OfServer("GET", "/os-server-password", "Passwords of guests are not kept."), OfServer("DELETE", "/os-server-password", "Passwords of guests are not kept."),
        OfServer("GET", "/migrations", "Migration is not offered."), OfServer("GET", "/migrations/{migration}", "Migration is not offered."), OfServer("DELETE", "/migrations/{migration}", "Migration is not offered."), OfServer("POST", "/migrations/{migration}/action", "Migration is not offered."),
        OfServer("GET", "/shares", "Shares are not offered."), OfServer("POST", "/shares", "Shares are not offered."), OfServer("GET", "/shares/{share}", "Shares are not offered."), OfServer("DELETE", "/shares/{share}", "Shares are not offered."),
        // Nova itself passes these on to other services, up to 2.35.
        .. Proxies("images", "images/detail", "images/{image}", "images/{image}/metadata", "images/{image}/metadata/{key}", "os-networks", "os-networks/{network}", "os-tenant-networks", "os-tenant-networks/{network}", "os-volumes", "os-volumes/detail", "os-volumes/{volume}",
            "os-snapshots", "os-snapshots/detail", "os-snapshots/{snapshot}", "os-floating-ips", "os-floating-ips/{ip}", "os-floating-ip-pools", "os-security-groups", "os-security-groups/{group}", "os-security-group-rules", "os-security-group-rules/{rule}", "os-fixed-ips/{ip}"),
        // Gone from Nova as well.
        .. Gone("os-cells", "os-cells/{cell}", "os-cells/{cell}/capacities", "os-certificates", "os-certificates/root", "os-cloudpipe", "os-cloudpipe/configure-project", "os-fping", "os-fping/{instance}", "os-floating-ips-bulk", "os-floating-ips-bulk/{host}", "os-floating-ip-dns",
            "os-floating-ip-dns/{domain}", "os-floating-ip-dns/{domain}/entries/{name}", "os-security-group-default-rules", "os-security-group-default-rules/{rule}", "servers/{id}/consoles", "servers/{id}/consoles/{console}", "servers/{id}/os-virtual-interfaces"),
    ];

    /// <summary>Something of a server, which must at least be there.</summary>
    public static Route OfServer(string method, string tail, string why, string? action = null) => new(method, Server + tail, method == "GET" ? "compute:get" : "compute:update", async c =>
    {
        await Servers.Kind.Load(c, method == "GET" ? "compute:get" : "compute:update");
        throw new Fault(501, why);
    })
    { Action = action };

    private static IEnumerable<Route> Each(string why, string policy, params string[] routes) => routes.Select(r => r.Split(' ')).Select(r => Route.Missing(r[0], Root + r[1], policy, why));

    private static Route NotThere(string route) => route.Split(' ') is [var method, var path] ? new(method, Root + path, "authenticated", _ => throw new Fault(404, "The resource could not be found.")) : throw new ArgumentException(route);

    private static Route Empty(string path, string name, string policy = "authenticated") => new("GET", Root + path, policy, _ => new(Reply.Object(200, w => w.Strings(name, []))));

    private static IEnumerable<Route> Proxies(params string[] paths) => paths.SelectMany(p => Methods(p).Select(m => Route.Missing(m, Root + p, "authenticated", "Ask the service itself.") with { Until = "2.35" }));

    private static IEnumerable<Route> Gone(params string[] paths) => paths.SelectMany(p => Methods(p).Select(m => new Route(m, Root + p, "authenticated", _ => throw new Fault(410, "This part of the compute API was removed."))));

    private static string[] Methods(string path) => path.EndsWith('}') ? ["GET", "PUT", "DELETE"] : ["GET", "POST"];
}
