using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>One thing that was asked of a server, and how it ended.</summary>
/// <param name="Error">What the tenant may know of a failure; null while it runs and when it went well.</param>
public sealed record ServerAction(string Action, string RequestId, string UserId, DateTimeOffset Start, DateTimeOffset? Finish = null, string? Error = null);

/// <summary>https://docs.openstack.org/api-ref/compute/#servers-actions-servers-os-instance-actions: rows beside the server, written with what they tell of.</summary>
public static class ServerHistory
{
    private const string Path = "/v2.1/servers/{id}/os-instance-actions";
    private const int Kept = 50;

    public static readonly Route[] Routes = [new("GET", Path, "compute:get", List), new("GET", Path + "/{request}", "compute:get", Show)];

    /// <summary>The write that tells of an action's begin; of all of it, where nothing follows.</summary>
    public static Op Began(Call c, string server, string action, bool ended = false) =>
        new Op.Upsert(Prefix(server) + c.RequestId, Json.Write(new ServerAction(action, c.RequestId, c.Caller.UserId, c.Now, ended ? c.Now : null)));

    /// <summary>What ran is over: well, or for the saga's error. The oldest beyond what is kept go.</summary>
    public static async ValueTask End(Work<Server> w)
    {
        var rows = await Rows(w.Store, w.Item);
        foreach (var row in rows)
            if (Json.Read<ServerAction>(row.Body) is { Finish: null } a) w.Ops.Add(new Op.Replace(row.Key, Json.Write(a with { Finish = w.Services.Now, Error = w.Error }), row.ETag));
        var written = w.Ops.Select(o => o.Key).ToHashSet();
        foreach (var row in rows.SkipLast(Kept).Where(r => !written.Contains(r.Key)).Take(Kept)) w.Ops.Add(new Op.Delete(row.Key));
    }

    /// <summary>The server goes, and its history with it.</summary>
    public static async ValueTask Forget(Work<Server> w)
    {
        // As many at a time as one transaction takes.
        foreach (var some in (await Rows(w.Store, w.Item)).Chunk(Kept)) await w.Store.Commit(some[0].Partition, [.. some.Select(r => new Op.Delete(r.Key))]);
    }

    private static string Prefix(string server) => $"server-action|{server}|";

    private static async ValueTask<IReadOnlyList<Row>> Rows(IEntityStore store, Server s, CancellationToken ct = default)
    {
        var (from, to) = Keys.Range(Prefix(s.Id));
        return await store.List(s.ProjectId, from, to, ct: ct);
    }

    private static async ValueTask<Reply> List(Call c)
    {
        var s = (await Servers.Kind.Load(c, "compute:get")).Item;
        IEnumerable<ServerAction> all = (await Rows(c.Store, s, c.Cancelled)).Select(r => Json.Read<ServerAction>(r.Body)).Reverse();
        var limit = ComputeDialect.Value.MaxLimit;
        if (c.From(58))
        {
            if (c.First("limit") is { } text) limit = int.TryParse(text, System.Globalization.NumberStyles.None, null, out var n) ? Math.Min(n, limit) : throw Fault.BadRequest("Invalid input for query parameters limit.");
            if (c.First("changes-since") is { } since) all = all.Where(a => (a.Finish ?? a.Start) >= ServerFilters.Date(since));
            if (c.From(66) && c.First("changes-before") is { } before) all = all.Where(a => (a.Finish ?? a.Start) <= ServerFilters.Date(before));
            if (c.First("marker") is { Length: > 0 } marker) all = all.Any(a => a.RequestId == marker) ? all.SkipWhile(a => a.RequestId != marker).Skip(1) : throw Fault.BadRequest("marker not found");
        }
        var found = all.ToList();
        var shown = found.Take(limit).ToList();
        return Reply.Object(200, w =>
        {
            w.Objects("instanceActions", shown, a => Write(w, c, s, a));
            if (c.From(58) && found.Count > limit && limit > 0) w.Objects("links", [PageLinks.Next(c, new("instanceActions", limit, true, shown[0].RequestId, shown[^1].RequestId))], href => { w.WriteString("rel", "next"); w.WriteString("href", href); });
        });
    }

    private static async ValueTask<Reply> Show(Call c)
    {
        var s = (await Servers.Kind.Load(c, "compute:get")).Item;
        var row = await c.Store.Get(s.ProjectId, Prefix(s.Id) + Keys.Safe(c.Args["request"]), c.Cancelled) ?? throw new Fault(404, $"Action for request_id {(c.Args["request"].Length > 60 ? "" : c.Args["request"])} on instance {s.Id} not found");
        var a = Json.Read<ServerAction>(row.Body);
        return Reply.Object(200, w => w.Object("instanceAction", () =>
        {
            Write(w, c, s, a);
            // Events were the administrator's alone before 2.51.
            if (c.From(51) || c.Allows("compute:see_traces", default)) w.Objects("events", [a], e => Event(w, c, s, e));
        }));
    }

    private static void Write(Utf8JsonWriter w, Call c, Server s, ServerAction a)
    {
        w.WriteString("action", a.Action);
        w.WriteString("instance_uuid", s.Id);
        w.WriteString("request_id", a.RequestId);
        w.WriteString("user_id", a.UserId);
        w.WriteString("project_id", s.ProjectId);
        w.WriteString("start_time", ComputeDialect.Micros(a.Start));
        w.WriteString("message", a.Error is null ? null : "Error");
        if (c.From(58)) w.WriteString("updated_at", ComputeDialect.Micros(a.Finish ?? a.Start));
    }

    private static void Event(Utf8JsonWriter w, Call c, Server s, ServerAction a)
    {
        w.WriteString("event", "compute_" + a.Action);
        w.WriteString("start_time", ComputeDialect.Micros(a.Start));
        w.WriteString("finish_time", a.Finish is { } finish ? ComputeDialect.Micros(finish) : null);
        w.WriteString("result", a.Finish is null ? null : a.Error is null ? "Success" : "Error");
        // What went wrong is told without a trace of the inside.
        if (c.Allows("compute:see_traces", default)) w.WriteString("traceback", a.Error);
        if (c.From(62)) w.WriteString("hostId", ServerView.HostId(s));
        if (c.From(62) && c.Allows("compute:see_traces", default)) w.WriteString("host", s.Host);
        if (c.From(84)) w.WriteString("details", a.Error);
    }
}
