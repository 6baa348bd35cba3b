using Cloud.Platform;

namespace Cloud.Compute;

/// <summary>What others ask of compute: whose a guest is.</summary>
public static class Facade
{
    /// <summary>The project of a server that is on this host; null for any other.</summary>
    public static async ValueTask<string?> ProjectOf(Services s, string serverId, string host, CancellationToken ct = default) =>
        (await Servers.Rows.Find(s.Store, serverId, ct: ct))?.Item is { } server && server.Host == host ? server.ProjectId : null;
}
