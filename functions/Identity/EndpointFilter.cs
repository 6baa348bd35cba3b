using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Endpoints chosen by what they have in common.</summary>
public sealed record EndpointGroup : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 255), NotBlank] public string Name { get; init; } = "";
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    /// <summary>Values that fields of an endpoint must have: service_id, region_id, interface.</summary>
    [Field(In.Both, Required = true)] public Dictionary<string, string> Filters { get; init; } = [];

    public bool Has(Endpoint e) => Filters.All(f => f.Value == f.Key switch { "service_id" => e.ServiceId, "region_id" => e.RegionId, _ => e.Interface });
}

/// <summary>OS-EP-FILTER: which endpoints a project's catalog shows. A project with none assigned sees all. https://docs.openstack.org/api-ref/identity/v3-ext/#os-ep-filter-api</summary>
public static class EndpointFilter
{
    private const string Root = "/v3/OS-EP-FILTER";
    private static readonly Rows<EndpointGroup> Groups = new("endpoint_group", "identity") { Global = true };

    private static readonly Kind<EndpointGroup> Kind = new(Groups, "endpoint_groups", Root + "/endpoint_groups", IdentityDialect.Value)
    {
        Sees = "identity:get_endpoint_group",
        Check = (_, d) => d.Item.Filters.Keys.All(k => k is "service_id" or "region_id" or "interface") ? ValueTask.CompletedTask
            : throw Fault.BadRequest("Invalid input for field 'filters': an endpoint group is made by service_id, region_id or interface."),
        CheckDelete = async (c, d) =>
        {
            foreach (var project in await Projects(c, 'g', d.Item.Id)) await Set(c, 'g', project, d.Item.Id, false);
        },
        Extend = (w, c, g, _) => IdentityDialect.SelfLink(w, c, "OS-EP-FILTER/endpoint_groups", g.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_endpoint_groups"), Kind.Create("identity:create_endpoint_group"), Kind.Show("identity:get_endpoint_group"),
        new("HEAD", Root + "/endpoint_groups/{id}", "identity:get_endpoint_group", async c => { await Kind.Load(c, c.Route.Policy); return Reply.Empty(200); }),
        Kind.Update("identity:update_endpoint_group"), Kind.Delete("identity:delete_endpoint_group"),
        new("GET", Root + "/endpoint_groups/{id}/endpoints", "identity:list_endpoints_associated_with_endpoint_group", async c =>
        {
            var group = (await Kind.Load(c, c.Route.Policy)).Item;
            return Endpoints.Kind.PageFrom(c, (await Endpoints.All(c)).Where(group.Has));
        }),
        new("GET", Root + "/endpoint_groups/{id}/projects", "identity:list_projects_associated_with_endpoint_group", async c =>
            await Identity.Projects.Kind.PageFrom(c, await Projects(c, 'g', (await Kind.Load(c, c.Route.Policy)).Item.Id))),
        .. Pairs('g', "/endpoint_groups/{id}/projects/{project}", ("identity:get_endpoint_group_in_project", InProject), "identity:add_endpoint_group_to_project", "identity:remove_endpoint_group_from_project"),
        new("GET", Root + "/endpoints/{id}/projects", "identity:list_projects_for_endpoint", async c =>
            await Identity.Projects.Kind.PageFrom(c, await Projects(c, 'e', (await Directory.Need(c, Endpoints.Rows, c.Args["id"])).Id))),
        new("GET", Root + "/projects/{project}/endpoints", "identity:list_endpoints_for_project", async c =>
            Endpoints.Kind.PageFrom(c, await Of(c, (await Directory.Need(c, Directory.Projects, c.Args["project"])).Id, await Endpoints.All(c)) ?? [])),
        new("GET", Root + "/projects/{project}/endpoint_groups", "identity:list_endpoint_groups_for_project", async c =>
            await Kind.PageFrom(c, await Assigned(c, 'g', (await Directory.Need(c, Directory.Projects, c.Args["project"])).Id))),
        .. Pairs('e', "/projects/{project}/endpoints/{id}", ("identity:check_endpoint_in_project", (_, _, _) => Reply.Empty(204)), "identity:add_endpoint_to_project", "identity:remove_endpoint_from_project"),
    ];

    /// <summary>The endpoints a project sees; null for all.</summary>
    public static async ValueTask<IReadOnlyList<Endpoint>?> Of(Call c, string project, IReadOnlyList<Endpoint> all)
    {
        var (ids, groupIds) = (await Assigned(c, 'e', project), await Assigned(c, 'g', project));
        if (ids.Count == 0 && groupIds.Count == 0) return null;
        var groups = new List<EndpointGroup>();
        foreach (var id in groupIds) if (await Directory.Get(c, Groups, id) is { } g) groups.Add(g);
        return [.. all.Where(e => ids.Contains(e.Id) || groups.Exists(g => g.Has(e)))];
    }

    private static Reply InProject(Call c, string project, string group) => Reply.Object(200, w => w.Object("project_endpoint_group", () =>
    {
        w.WriteString("project_id", project);
        w.WriteString("endpoint_group_id", group);
        IdentityDialect.SelfLink(w, c, $"OS-EP-FILTER/endpoint_groups/{group}/projects", project);
    }));

    private static Route[] Pairs(char kind, string path, (string Rule, Func<Call, string, string, Reply> Shown) check, string add, string remove)
    {
        async ValueTask<(string Project, string Id)> Named(Call c)
        {
            var id = kind == 'g' ? (await Directory.Need(c, Groups, c.Args["id"])).Id : (await Directory.Need(c, Endpoints.Rows, c.Args["id"])).Id;
            return ((await Directory.Need(c, Directory.Projects, c.Args["project"])).Id, id);
        }
        async ValueTask<(string Project, string Id)> Existing(Call c)
        {
            var (project, id) = await Named(c);
            return (await Assigned(c, kind, project)).Contains(id) ? (project, id) : throw new Fault(404, "Endpoint filter association could not be found.");
        }
        return
        [
            new("GET", Root + path, check.Rule, async c => { var (project, id) = await Existing(c); return check.Shown(c, project, id); }),
            new("PUT", Root + path, add, async c => { var (project, id) = await Named(c); await Set(c, kind, project, id, true); return Reply.Empty(204); }),
            new("DELETE", Root + path, remove, async c => { var (project, id) = await Existing(c); await Set(c, kind, project, id, false); return Reply.Empty(204); }),
        ];
    }

    private static ValueTask Set(Call c, char kind, string project, string id, bool on)
    {
        var (of, by) = ($"{kind}|{Keys.Safe(project)}|{Keys.Safe(id)}", $"{kind}of|{Keys.Safe(id)}|{Keys.Safe(project)}");
        return c.Store.Commit(Partition, on ? [new Op.Upsert(of, Encoding.UTF8.GetBytes(id)), new Op.Upsert(by, Encoding.UTF8.GetBytes(project))] : [new Op.Delete(of), new Op.Delete(by)]);
    }

    private const string Partition = "endpoint-filter";
    private static ValueTask<IReadOnlyList<string>> Assigned(Call c, char kind, string project) => Others(c, $"{kind}|{Keys.Safe(project)}|");
    private static ValueTask<IReadOnlyList<string>> Projects(Call c, char kind, string id) => Others(c, $"{kind}of|{Keys.Safe(id)}|");

    private static async ValueTask<IReadOnlyList<string>> Others(Call c, string prefix)
    {
        var (from, to) = Keys.Range(prefix);
        return [.. (await c.Store.List(Partition, from, to)).Select(r => Encoding.UTF8.GetString(r.Body.Span))];
    }
}
