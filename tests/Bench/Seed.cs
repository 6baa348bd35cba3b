using Cloud.Compute;
using Cloud.Network;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Platform.State;

namespace Cloud.Bench;

/// <summary>
/// Fills a stopped cloud's store with copies of its servers, each with a port, as the API would have left them, and its simulated hosts with
/// what those have of it; making thousands through the API would take minutes.
/// </summary>
public static class Seed
{
    /// <summary>A server that is copied, and what its host remembers of it.</summary>
    private sealed record Model(Server Server, Port Port, string Journal, string Lines);

    public static async Task Servers(string data, string project, int count)
    {
        using var state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        var ids = new TimeOrderedIds(TimeProvider.System);
        var models = new List<Model>();
        foreach (var server in (await Compute.Servers.Rows.InProject(state.Store, project)).DistinctBy(s => s.Host)) models.Add(await Of(state.Store, data, server));
        foreach (var batch in Enumerable.Range(0, count).Chunk(50))
        {
            var copies = batch.Select(i => (Model: models[i % models.Count], Server: ids.New(), Port: ids.New(), Name: $"copy-{i}")).ToList();
            await state.Store.Commit(project, [.. copies.SelectMany(c => new[]
            {
                Row(Compute.Servers.Rows, c.Model.Server with { Id = c.Server, Name = c.Name, Nics = [c.Model.Server.Nics[0] with { PortId = c.Port }] }),
                Row(Tables.Ports, c.Model.Port with { Id = c.Port, DeviceId = c.Server, DnsName = c.Name }),
            })]);
            await state.Store.Commit("index.server", [.. copies.Select(c => Pointer(Compute.Servers.Rows.Key(c.Server), project))]);
            await state.Store.Commit("index.port", [.. copies.Select(c => Pointer(Tables.Ports.Key(c.Port), project))]);
            foreach (var c in copies)
                await File.AppendAllTextAsync(c.Model.Journal, c.Model.Lines.Replace(c.Model.Server.Id, c.Server, StringComparison.Ordinal).Replace(c.Model.Port.Id, c.Port, StringComparison.Ordinal));
        }
    }

    /// <summary>Puts events of changes into a stopped cloud's outbox, with states before and after of the usual size, as sagas that end at the same moment would.</summary>
    public static async Task Events(string data, string project, int count, int subjects)
    {
        using var state = LocalState.Open(Path.Combine(data, "state.db"), TimeProvider.System);
        var ids = new TimeOrderedIds(TimeProvider.System);
        var (names, text) = (Enumerable.Range(0, subjects).Select(_ => ids.New()).ToList(), new string('x', 800));
        foreach (var batch in Enumerable.Range(0, count).Chunk(500))
            await state.Bus.Send([.. batch.Select(i =>
            {
                var (id, subject, side) = (ids.New(), names[i % subjects], new { Id = names[i % subjects], ProjectId = project, Name = "bench", Description = text });
                return new Message("events", id, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new
                {
                    specversion = "1.0", id, source = "/bench", type = "cloud.serverless.bench.thing.updated", subject, time = TimeProvider.System.GetUtcNow(), datacontenttype = "application/json",
                    data = new { project_id = project, actor = "", request_id = "", revision = (i / subjects) + 1, after = side, before = side, @operator = new { after = new { Host = "h" } } },
                }), Session: subject);
            })]);
    }

    private static async Task<Model> Of(IEntityStore store, string data, Server server)
    {
        var port = (await Tables.Ports.Get(store, server.ProjectId, server.Nics[0].PortId))!.Item;
        var journal = Path.Combine(data, "simulated", server.Host + ".journal");
        // Its disk, port and guest.
        string[] keys = [$"/{server.Id}\"", $"/{port.Id}\""];
        var lines = File.ReadLines(journal).Where(l => keys.Any(k => l.AsSpan(0, Math.Min(l.Length, 80)).Contains(k, StringComparison.Ordinal)));
        return new(server, port, journal, string.Concat(lines.Select(l => l + '\n')));
    }

    private static Op.Insert Row<T>(Rows<T> rows, T item) where T : Resource => new(rows.Key(item.Id), Json.Write(item));
    private static Op.Insert Pointer(string key, string project) => new(key, System.Text.Encoding.UTF8.GetBytes(project));
}
