using System.Globalization;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>https://gnocchi.osci.io/rest.html#resources</summary>
internal static class Resources
{
    /// <summary>Resources removed in one request.</summary>
    private const int MostRemoved = 1000;
    private const string One = "/v1/resource/{type}/{id}";

    public static readonly Route[] Routes =
    [
        new("GET", "/v1/resource", "metric:get_definitions", async c =>
        {
            var types = await ResourceTypes.All(c.Store, c.Cancelled);
            return Reply.Object(200, w => { foreach (var t in types) w.WriteString(t.Name, $"{c.BaseUrl}/v1/resource/{t.Name}"); });
        }),
        new("GET", "/v1/resource/{type}", "metric:get", async c =>
        {
            var (type, history) = (await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled), Bodies.Flag(c, "history"));
            return await Searching.Page(c, type, async () => await Searching.Find(c, type, null, history), history);
        }),
        new("POST", "/v1/resource/{type}", "metric:write", Create),
        new("DELETE", "/v1/resource/{type}", "metric:write", DeleteMany),
        new("GET", One, "metric:get", async c =>
        {
            var (type, s) = await Load(c);
            return Unchanged(c, s) ?? Tagged(200, s, type);
        }),
        new("PATCH", One, "metric:write", Update),
        new("DELETE", One, "metric:write", async c => await Access.Repeat(async () =>
        {
            var (_, s) = await Load(c, change: true);
            _ = Unchanged(c, s);
            await Remove(c, s);
            return Reply.Empty(204);
        })),
        new("GET", One + "/history", "metric:get", async c =>
        {
            var (type, s) = await Load(c);
            return await Searching.Page(c, type, async () => [.. await Catalogue.Past(c.Store, s, c.Cancelled), s], history: true);
        }),
        new("POST", "/v1/search/resource/{type}", "metric:get", Searching.Search),
        new("GET", "/v1/search/resource/{type}", "metric:get", async c =>
        {
            await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled);
            throw new Fault(405, "The method is not allowed for this resource.") { Headers = [("Allow", "POST")] };
        }),
    ];

    public static async ValueTask<(ResourceType, Subject)> Load(Call c, bool change = false)
    {
        var type = await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled);
        return (type, await Access.Resource(c, c.Args["id"], type.Name, change));
    }

    private static async ValueTask<Reply> Create(Call c)
    {
        var type = await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled);
        var (s, wishes) = await ResourceBody.Read(c, type, Bodies.Of(c), null);
        var (added, taken) = await MetricBody.Make(c, s, wishes ?? []);
        s = s with { Metrics = new(added.Concat(taken).ToDictionary(m => m.Name!, m => m.Id)) };
        if (!await Catalogue.Insert(c.Store, s, added, c.Cancelled)) throw Taken(s.Id);
        // One that was there takes the resource's name in a write of its own; until then it is only named by it.
        foreach (var m in taken) await c.Store.Commit(m.Home, [new Op.Replace("m|" + m.Id, Json.Write(m), m.ETag)], ct: c.Cancelled);
        return Tagged(201, s, type).With("Location", $"{c.BaseUrl}/v1/resource/{Uri.EscapeDataString(type.Name)}/{s.Id}");
    }

    public static Fault Taken(string id) => new(409, $"Resource {id} already exists") { Described = new System.Text.Json.Nodes.JsonObject { ["cause"] = "Resource already exists", ["detail"] = id } };

    private static ValueTask<Reply> Update(Call c) => Access.Repeat(async () =>
    {
        var (type, was) = await Load(c, change: true);
        _ = Unchanged(c, was);
        var (s, wishes) = await ResourceBody.Read(c, type, Bodies.Of(c), was);
        var differs = ResourceBody.Differs(was, s);
        if (!differs && wishes is null) return Tagged(200, was, type);
        Subject? past = null;
        var now = Times.Microsecond(c.Now);
        if (differs)
        {
            past = was with { Changes = was.Changes + 1, RevisionEnd = now, Metrics = [] };
            s = s with { Changes = was.Changes + 1, RevisionStart = now };
        }
        var (added, changed) = (new List<Metric>(), new List<Metric>());
        if (wishes is not null)
        {
            (added, changed) = await MetricBody.Make(c, s, wishes);
            s = s with { Metrics = new(added.Concat(changed).ToDictionary(m => m.Name!, m => m.Id)) };
            // The others are nobody's from now on.
            await foreach (var m in Catalogue.MetricsOf(c.Store, was, c.Cancelled))
                if (!s.Metrics.ContainsValue(m.Id)) changed.Add(m with { Resource = null });
            if (added.Count + changed.Count > MetricBody.MostAtOnce) throw Fault.BadRequest($"More than {MetricBody.MostAtOnce} metrics would change at once");
        }
        await Catalogue.Replace(c.Store, was, s, past, added, changed, null, c.Cancelled);
        return Tagged(200, s, type);
    });

    private static async ValueTask<Reply> DeleteMany(Call c)
    {
        var type = await ResourceTypes.Load(c.Store, c.Args["type"], c.Cancelled);
        var filter = Searching.FilterOf(c) ?? throw Fault.BadRequest("caution: the query can not be empty, or it will delete entire database");
        var found = (await Searching.Find(c, type, filter)).Where(s => Access.Changes(c, s.Creator)).ToList();
        if (found.Count > MostRemoved) throw Fault.BadRequest($"More than {MostRemoved} resources match; narrow the query");
        foreach (var s in found)
            await Access.Repeat(async () =>
            {
                if (await Catalogue.Resource(c.Store, s.Id, c.Cancelled) is { } there && there.Born == s.Born) await Remove(c, there);
                return true;
            });
        return Reply.Object(200, w => w.WriteNumber("deleted", found.Count));
    }

    private static async ValueTask Remove(Call c, Subject s)
    {
        // More metrics than a group of the store has operations go before.
        foreach (var id in s.Metrics.Values.Skip(MetricBody.MostAtOnce).ToList())
            if (await Catalogue.Metric(c.Store, id, c.Cancelled) is { } m) await Catalogue.Remove(c.Services, m, c.Cancelled);
        if (s.Metrics.Count > MetricBody.MostAtOnce) s = await Catalogue.Resource(c.Store, s.Id, c.Cancelled) ?? throw Wrong.NoResource(s.Id);
        await Catalogue.Remove(c.Services, s, c.Cancelled);
    }

    private static Reply Tagged(int status, Subject s, ResourceType type) =>
        Reply.Of(status, w => s.Write(w, type)).With("ETag", $"\"{Tag(s)}\"").With("Last-Modified", s.RevisionStart.UtcDateTime.ToString("R", CultureInfo.InvariantCulture));

    private static string Tag(Subject s) => $"{s.Id}-{s.RevisionStart.UtcTicks:x}";

    /// <summary>Conditions of RFC 9110: 304 for a reader who has it already.</summary>
    /// <exception cref="Fault">412.</exception>
    private static Reply? Unchanged(Call c, Subject s)
    {
        bool Names(string header) => c.Header(header)!.Trim() is "*" || c.Header(header)!.Split(',').Any(t => t.Trim().Trim('"') == Tag(s));
        DateTimeOffset? Time(string header) => DateTimeOffset.TryParseExact(c.Header(header), "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : null;
        var (reads, modified) = (c.Method is "GET" or "HEAD", s.RevisionStart.AddTicks(-(s.RevisionStart.Ticks % TimeSpan.TicksPerSecond)));
        var failed = new Fault(412, "The resource has changed");
        if (c.Header("If-Match") is not null ? !Names("If-Match") : Time("If-Unmodified-Since") < modified) throw failed;
        if (c.Header("If-None-Match") is not null ? !Names("If-None-Match") : !(reads && Time("If-Modified-Since") >= modified)) return null;
        return reads ? Reply.Empty(304) : throw failed;
    }
}
