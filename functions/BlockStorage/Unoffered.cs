using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>What Cinder documents and this cloud doesn't have: 501, or an empty list where clients only look.</summary>
public static class Unoffered
{
    private const string Root = "/v3/{project_id}";

    public static readonly Route[] Routes =
    [
        .. Collection("backups", "Backups", "POST {id}/restore", "POST {id}/action", "PUT {id}", "GET {id}/export_record", "POST import_record"),
        .. Collection("groups", "Groups", "PUT {id}", "POST {id}/action", "POST action"), .. Collection("group_snapshots", "Group snapshots", "PUT {id}", "POST {id}/action"),
        .. Collection("group_types", "Group types", "PUT {id}", "GET {id}/group_specs", "POST {id}/group_specs", "GET {id}/group_specs/{key}", "PUT {id}/group_specs/{key}", "DELETE {id}/group_specs/{key}", "GET default"),
        .. Collection("consistencygroups", "Consistency groups", "PUT {id}/update", "POST {id}/delete", "POST create_from_src", "PUT {id}"), .. Collection("cgsnapshots", "Consistency group snapshots"),
        .. Collection("os-volume-transfer", "Transfers", "POST {id}/accept"), .. Collection("volume-transfers", "Transfers", "POST {id}/accept"),
        .. Collection("qos-specs", "QoS specs", "PUT {id}", "PUT {id}/delete_keys", "GET {id}/associate", "GET {id}/associations", "GET {id}/disassociate", "GET {id}/disassociate_all"),
        .. Collection("manageable_volumes", "Managing volumes of others"), .. Collection("manageable_snapshots", "Managing snapshots of others"),
        .. Collection("clusters", "Clusters", "PUT enable", "PUT disable"), .. Collection("messages", "Messages"),
        .. Other("Type encryption is not offered.", "admin", "GET types/{id}/encryption/{key}", "POST types/{id}/encryption", "PUT types/{id}/encryption/{key}", "DELETE types/{id}/encryption/{key}"),
        new("GET", Root + "/types/{id}/encryption", "authenticated", _ => new(Reply.Object(200, _ => { }))),
        .. Other("Capabilities and pools are not kept.", "admin", "GET capabilities/{host}", "GET scheduler-stats/get_pools", "POST workers/cleanup", "GET resource_filters"),
        .. new[] { "GET", "PUT", "DELETE" }.SelectMany(m => new[] { Route.Missing(m, "/v3/default-types/{id}", "admin", "Default types of projects are not offered."), Route.Missing(m, "/v3/default-types", "admin", "Default types of projects are not offered.") }),
    ];

    /// <summary>An action of a resource that must at least be there.</summary>
    public static Route Action<T>(Kind<T> kind, string action) where T : Resource, new() => new("POST", kind.Path + "/{id}/action", "volume:update", async c =>
    {
        await kind.Load(c, "volume:update");
        throw new Fault(501, $"The action {action} is not offered by this cloud.");
    })
    { Action = action };

    // Lists are empty and no id is there; whatever would make or change one is refused in clear words.
    private static IEnumerable<Route> Collection(string path, string what, params string[] more)
    {
        var name = path switch { "os-volume-transfer" or "volume-transfers" => "transfers", "qos-specs" => "qos_specs", "manageable_volumes" => "manageable-volumes", "manageable_snapshots" => "manageable-snapshots", _ => path };
        foreach (var tail in (string[])["", "/detail"])
            yield return new("GET", $"{Root}/{path}{tail}", "authenticated", _ => new(Reply.Object(200, w => w.Strings(name, []))));
        yield return Route.Missing("POST", $"{Root}/{path}", "volume:create", $"{what} are not offered by this cloud.");
        foreach (var method in (string[])["GET", "DELETE"])
            yield return new(method, $"{Root}/{path}/{{id}}", "authenticated", c => throw new Fault(404, $"{what}: {Volumes.Short(c.Args["id"])} could not be found."));
        foreach (var route in Other($"{what} are not offered by this cloud.", "authenticated", [.. more.Select(m => m.Insert(m.IndexOf(' ', StringComparison.Ordinal) + 1, path + "/"))])) yield return route;
    }

    private static IEnumerable<Route> Other(string why, string policy, params string[] routes) =>
        routes.Select(r => r.Split(' ')).Select(r => Route.Missing(r[0], $"{Root}/{r[1]}", policy, why));
}
