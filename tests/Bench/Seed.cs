using Cloud.Compute;
using Cloud.Network;
using Cloud.Platform;
using Cloud.Platform.Local;
using Cloud.Platform.State;

namespace Cloud.Bench;

/// <summary>Fills a stopped cloud's store with copies of one of its servers, each with a port, as the API would have left them; making thousands through the API would take minutes.</summary>
public static class Seed
{
    public static async Task Servers(string data, string project, int count)
    {
        using var state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        var ids = new TimeOrderedIds(TimeProvider.System);
        var server = (await Compute.Servers.Rows.InProject(state.Store, project))[0];
        var port = (await Tables.Ports.Get(state.Store, project, server.Nics[0].PortId))!.Item;
        foreach (var batch in Enumerable.Range(0, count).Chunk(50))
        {
            var copies = batch.Select(i => (Server: ids.New(), Port: ids.New(), Name: $"copy-{i}")).ToList();
            await state.Store.Commit(project, [.. copies.SelectMany(c => new[]
            {
                Row(Compute.Servers.Rows, server with { Id = c.Server, Name = c.Name, Nics = [server.Nics[0] with { PortId = c.Port }] }),
                Row(Tables.Ports, port with { Id = c.Port, DeviceId = c.Server, DnsName = c.Name }),
            })]);
            await state.Store.Commit("index.server", [.. copies.Select(c => Pointer(Compute.Servers.Rows.Key(c.Server), project))]);
            await state.Store.Commit("index.port", [.. copies.Select(c => Pointer(Tables.Ports.Key(c.Port), project))]);
        }
    }

    private static Op.Insert Row<T>(Rows<T> rows, T item) where T : Resource => new(rows.Key(item.Id), Json.Write(item));
    private static Op.Insert Pointer(string key, string project) => new(key, System.Text.Encoding.UTF8.GetBytes(project));
}
