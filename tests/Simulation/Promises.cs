using System.Text;
using Cloud.BlockStorage;
using Cloud.Compute;
using Cloud.Network;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Simulation;

/// <summary>What must be so at the end, whatever befell.</summary>
public static class Promises
{
    public static async Task<IReadOnlyList<string>> Check(SimCloud cloud, Beginning like, IEnumerable<Client> clients)
    {
        await using var shown = like.Cloud.Copy();
        shown.Clock.SetUtcNow(cloud.Wheel.Now);
        shown.Store.Load(cloud.Store);
        shown.Bus.Add(cloud.Bus.All);
        shown.Hosts.AddRange(cloud.Hosts.Select(h => h.Shown()));
        shown.Events.AddRange(cloud.Events);
        shown.Errors.AddRange(cloud.Errors);
        List<string> problems = [.. cloud.Broken.Distinct(), .. (await World.Check(shown)).Problems.Select(p => p.ToString())];
        foreach (var letter in cloud.Bus.Dead) problems.Add($"given up: {letter.Message.Queue} {letter.Message.Id}: {letter.Reason}");

        // Who had a yes has it, and who had it taken away has it no more.
        var rows = cloud.Store.All.Where(r => !r.Partition.StartsWith("index.", StringComparison.Ordinal) && !r.Partition.StartsWith("shared.", StringComparison.Ordinal)).Select(r => r.Key).ToHashSet();
        foreach (var client in clients)
        {
            foreach (var (kind, id) in client.Deleted)
                if (There(rows, kind, id) == true) problems.Add($"{kind} {id} was deleted and is there");
            foreach (var (kind, id) in client.Promised)
                if (There(rows, kind, id) == false && !Follows(client, kind)) problems.Add($"{kind} {id} was promised and is gone");
        }

        // Secrets are where they are needed: in the server's row and in commands for its host.
        foreach (var row in cloud.Store.All)
            if ((row.Key.StartsWith("saga|", StringComparison.Ordinal) || row.Partition.StartsWith("events", StringComparison.Ordinal) || row.Partition.StartsWith("log", StringComparison.Ordinal)) && Encoding.UTF8.GetString(row.Body.Span).Contains(Client.Canary, StringComparison.Ordinal)) problems.Add($"a secret in {row.Partition}/{row.Key}");
        if (cloud.Errors.Concat(cloud.Trace).Any(e => e.Contains(Client.Canary, StringComparison.Ordinal))) problems.Add("a secret in the logs");
        return problems;
    }

    /// <summary>Goes with something else that may have been deleted: ports with servers, volumes too when they are to, subnets' gateways with networks.</summary>
    private static bool Follows(Client client, string kind) => kind switch { "volume" or "port" => client.Asked.Contains("server"), "subnet" => client.Asked.Contains("network"), _ => false };

    private static bool? There(HashSet<string> rows, string kind, string id) => kind switch
    {
        "server" => rows.Contains(Servers.Rows.Key(id)),
        "volume" => rows.Contains(Volumes.Rows.Key(id)),
        "snapshot" => rows.Contains(Snapshots.Rows.Key(id)),
        "port" => rows.Contains(Tables.Ports.Key(id)),
        "router" => rows.Contains(Tables.Routers.Key(id)),
        "floatingip" => rows.Contains(Tables.FloatingIps.Key(id)),
        "network" => rows.Contains(Tables.Networks.Key(id)),
        "subnet" => rows.Contains(Tables.Subnets.Key(id)),
        _ => null,
    };
}
