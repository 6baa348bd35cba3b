using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>Follows the events of objects: a blob goes when the last object that needed it has changed or gone. Events come at least once, so none is forgotten.</summary>
internal static class Collector
{
    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (e.Type == "cloud.serverless.identity.project.deleted") await Empty(s, e.Subject, ct);
        else if (e.Type.StartsWith("cloud.serverless.object-store.object.", StringComparison.Ordinal) && Blob(e, "before") is { } blob && blob != Blob(e, "after") && !await Shelf.Needs(s.Store, e.ProjectId, blob, ct))
            await s.Objects.Delete(blob, ct);
    }

    private static string? Blob(Event e, string side) =>
        e.Data.GetProperty("operator").TryGetProperty(side, out var o) && o.ValueKind == JsonValueKind.Object && o.GetProperty("Blob") is { ValueKind: JsonValueKind.Object } blob ? blob.GetProperty("Name").GetString() : null;

    /// <summary>A project is gone, and all its objects with it.</summary>
    private static async Task Empty(Services s, string project, CancellationToken ct)
    {
        var by = new Change("", "");
        foreach (var row in await s.Store.List(Shelf.Of(project), Shelf.ContainerRange, Shelf.End(Shelf.ContainerRange), ct: ct))
        {
            var container = new Loaded<Container>(Json.Read<Container>(row.Body), row.ETag);
            // What follows it elsewhere is somebody's there.
            if (container.Item.SyncTo is not null) await Edit.Run(s, project, by, async edit => await Shelf.Container(s.Store, project, container.Item.Name, ct) is { } now ? edit.Put(now, now.Item with { SyncTo = null }) : null);
            if (await Shelf.Container(s.Store, project, container.Item.Name, ct) is not { } loose) continue;
            container = loose;
            foreach (var range in (string[])[Shelf.ObjectRange(container.Item.Id), Shelf.PastRange(container.Item.Id)])
                while (await s.Store.List(Shelf.Of(project), range, Shelf.End(range), 500, ct) is { Count: > 0 } objects)
                    foreach (var o in objects)
                        await Edit.Run(s, project, by, async edit =>
                        {
                            if (await Shelf.Load<StoredObject>(s.Store, project, o.Key, ct) is { } there) edit.Remove(container, there);
                            return true;
                        });
            await Edit.Run(s, project, by, edit => Containers.Remove(edit, container.Item.Name));
        }
        var sums = await s.Store.List(Shelf.Of(project), Tally.Range(project), Shelf.End(Tally.Range(project)), ct: ct);
        await s.Store.Commit(Shelf.Of(project), [new Op.Delete(Shelf.AccountKey), .. sums.Select(r => new Op.Delete(r.Key))], ct: ct);
    }
}
