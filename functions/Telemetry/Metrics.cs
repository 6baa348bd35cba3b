using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>Metrics, alone and by their names within a resource. https://gnocchi.osci.io/rest.html#metrics</summary>
internal static class Metrics
{
    private const string Named = "/v1/resource/{type}/{id}/metric";

    public static readonly Route[] Routes =
    [
        new("GET", "/v1/metric", "metric:get", List),
        new("POST", "/v1/metric", "metric:write", Create),
        new("GET", "/v1/metric/{metric}", "metric:get", async c => await Show(c, await Access.Metric(c, c.Args["metric"]))),
        new("DELETE", "/v1/metric/{metric}", "metric:write", c => Access.Repeat(async () => await Delete(c, await Access.Metric(c, c.Args["metric"], change: true)))),
        new("POST", "/v1/metric/{metric}/measures", "metric:write", async c => await Measures.Post(c, await Access.Metric(c, c.Args["metric"], change: true))),
        new("GET", "/v1/metric/{metric}/measures", "metric:get", async c => await Measures.Get(c, await Access.Metric(c, c.Args["metric"]))),
        new("GET", Named, "metric:get", async c => { var (_, s) = await Resources.Load(c); return await OfResource(c, s); }),
        new("POST", Named, "metric:write", Add),
        new("GET", Named + "/{name}", "metric:get", async c => await Show(c, await ByName(c))),
        new("DELETE", Named + "/{name}", "metric:write", c => Access.Repeat(async () => await Delete(c, await ByName(c, change: true)))),
        new("POST", Named + "/{name}/measures", "metric:write", async c => await Measures.Post(c, await ByName(c, change: true))),
        new("GET", Named + "/{name}/measures", "metric:get", async c => await Measures.Get(c, await ByName(c))),
    ];

    private static async ValueTask<Metric> ByName(Call c, bool change = false)
    {
        var (_, s) = await Resources.Load(c, change);
        return s.Metrics.TryGetValue(c.Args["name"], out var id) && await Catalogue.Metric(c.Store, id, c.Cancelled) is { } m ? m : throw Wrong.NoMetric(c.Args["name"]);
    }

    private static async ValueTask<Reply> Show(Call c, Metric m)
    {
        var policy = await Definitions.PolicyOf(c.Store, m, c.Cancelled);
        var s = m.Resource is { } id ? await Catalogue.Resource(c.Store, id, c.Cancelled) : null;
        return Reply.Of(200, w => m.Write(w, policy, w => { if (s is null) w.WriteNullValue(); else s.Write(w, ResourceType.Generic); }));
    }

    private static async ValueTask<Reply> Delete(Call c, Metric m)
    {
        await Catalogue.Remove(c.Services, m, c.Cancelled);
        return Reply.Empty(204);
    }

    private static async ValueTask<Reply> List(Call c)
    {
        // One that is deleted is gone at once; there is no such state to list.
        if (c.First("status") is { } status && status != "active") return status == "delete" ? ArchivePolicies.Many(Array.Empty<Metric>(), (_, _) => { }) : throw Fault.BadRequest("Invalid input: not a valid value for dictionary value @ data['status']");
        var paging = Paging.Of(c, "id:asc");
        var creator = c.First("user_id") is null && c.First("project_id") is null ? c.First("creator") : $"{c.First("user_id")}:{c.First("project_id")}";
        bool Is(string key, string? value) => c.First(key) is not { } wanted || wanted == value;
        var found = new List<Metric>();
        await foreach (var m in Catalogue.Metrics(c.Store, Access.Scope(c), c.Cancelled))
            if ((creator is null || creator == m.Creator.ToString()) && Is("name", m.Name) && Is("id", m.Id) && Is("unit", m.Unit) && Is("archive_policy_name", m.Policy) && Is("resource_id", m.Resource)) found.Add(m);
        var (page, full) = paging.Cut(found, Read, ["id"], m => m.Id);
        var policies = await Definitions.Policies(c.Store, c.Cancelled);
        return paging.Link(c, ArchivePolicies.Many(page, (w, m) => m.Write(w, policies.Of(m))), full, page.Count > 0 ? page[^1].Id : "");
    }

    private static bool Read(Metric? m, string name, out object? value)
    {
        value = name switch { "id" => m?.Id, "name" => m?.Name, "unit" => m?.Unit, "creator" => m?.Creator.ToString(), "archive_policy_name" => m?.Policy, "resource_id" => m?.Resource, "status" => "active", _ => null };
        return name is "id" or "name" or "unit" or "creator" or "archive_policy_name" or "resource_id" or "status";
    }

    private static async ValueTask<Reply> Create(Call c)
    {
        var wish = await MetricBody.Read(c, Bodies.Of(c));
        if (wish.Resource is not null && wish.Name is null) throw Wrong.Parts(400, "Attribute value error", "Name cannot be null if resource_id is not null", "name");
        await MetricBody.Known(c, wish.Policy);
        var creator = Creator.Of(c);
        var m = new Metric { Id = c.Services.Ids.New(), Name = wish.Name, Unit = wish.Unit, Policy = wish.Policy, Creator = creator, Home = Catalogue.HomeOf(creator.Project) };
        if (wish.Resource is null) await Catalogue.Insert(c.Store, m, c.Cancelled);
        else
        {
            m = await Access.Repeat(async () =>
            {
                var s = await Access.Resource(c, wish.Resource, "generic", change: true);
                if (s.Metrics.ContainsKey(wish.Name!)) throw Taken(wish.Name!, 400);
                return (await Append(c, s, [m with { Resource = s.Id, Home = s.Home }])).Added[0];
            });
        }
        return Reply.Of(201, w => m.Write(w, null)).With("Location", $"{c.BaseUrl}/v1/metric/{m.Id}");
    }

    private static Fault Taken(string name, int status) => new(status, $"Named metric {name} already exists") { Described = status == 400 ? new System.Text.Json.Nodes.JsonObject { ["cause"] = "Named metric already exists", ["detail"] = name } : null };

    private static ValueTask<Reply> Add(Call c) => Access.Repeat(async () =>
    {
        var (_, s) = await Resources.Load(c, change: true);
        var wishes = await MetricBody.Many(c, Bodies.Of(c));
        if (wishes.FirstOrDefault(w => s.Metrics.ContainsKey(w.Name!)) is { } twice) throw Taken(twice.Name!, 409);
        var (added, taken) = await MetricBody.Make(c, s, wishes);
        return await OfResource(c, (await Append(c, s, added, taken)).Subject);
    });

    /// <summary>Gives a resource more metrics, which is no change of its own.</summary>
    /// <exception cref="ConflictException">Somebody changed it meanwhile.</exception>
    public static async ValueTask<(Subject Subject, IReadOnlyList<Metric> Added)> Append(Call c, Subject s, IReadOnlyList<Metric> added, IReadOnlyList<Metric>? taken = null)
    {
        var all = new SortedDictionary<string, string>(s.Metrics);
        foreach (var m in added.Concat(taken ?? [])) all[m.Name!] = m.Id;
        if (all.Count > MetricBody.Most) throw Fault.BadRequest($"A resource has at most {MetricBody.Most} metrics");
        var next = s with { Metrics = all };
        await Catalogue.Replace(c.Store, s, next, null, added, taken ?? [], null, c.Cancelled);
        return (next, added);
    }

    private static async ValueTask<Reply> OfResource(Call c, Subject s)
    {
        var policies = await Definitions.Policies(c.Store, c.Cancelled);
        var all = await Catalogue.MetricsOf(c.Store, s, c.Cancelled).ToListAsync(c.Cancelled);
        return ArchivePolicies.Many(all, (w, m) => m.Write(w, policies.Of(m)));
    }
}
