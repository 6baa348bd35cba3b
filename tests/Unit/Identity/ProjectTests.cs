using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

public sealed class ProjectTests
{
    [Fact]
    public async Task A_deleted_domain_takes_everything_in_it_along()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.Token();
        string[] Kept() => [.. cloud.Store.All.Where(r => r.Partition is not ("events" or "outbox" or "log") && !r.Partition.StartsWith("event", StringComparison.Ordinal)).Select(r => r.Partition + "/" + r.Key)];
        var before = Kept();
        var domain = await cloud.Make("domains", "domain", new { name = "acme" });
        var top = await cloud.Make("projects", "project", new { name = "top", domain_id = domain, tags = new[] { "a" } });
        await cloud.Make("projects", "project", new { name = "below", parent_id = top });
        var user = await cloud.Make("users", "user", new { name = "u", domain_id = domain, password = "x", shoe_size = 44 });
        var group = await cloud.Make("groups", "group", new { name = "g", domain_id = domain });
        var role = await cloud.Make("roles", "role", new { name = "r", domain_id = domain });
        await cloud.Send("PUT", $"/identity/v3/groups/{group}/users/{user}");
        await cloud.Send("PUT", $"/identity/v3/projects/{top}/groups/{group}/roles/{role}");
        await cloud.Send("PUT", $"/identity/v3/domains/{domain}/users/{user}/roles/{role}");
        await cloud.Send("PUT", $"/identity/v3/domains/{domain}/config", new { config = new { identity = new { driver = "sql" } } });
        Assert.Equal(403, (await cloud.Send("DELETE", "/identity/v3/projects/" + top)).Status);
        Assert.Equal(403, (await cloud.Send("DELETE", "/identity/v3/domains/" + domain)).Status);
        await cloud.Send("PATCH", "/identity/v3/domains/" + domain, new { domain = new { enabled = false } });
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/domains/" + domain)).Status);
        Assert.Empty(cloud.Errors);
        Assert.Equal(before, Kept());
    }

    [Fact]
    public async Task The_tree_is_kept_sound()
    {
        await using var cloud = await TestCloud.Start();
        var parent = "default";
        var made = new List<string>();
        for (var i = 0; i < 5; i++) made.Add(parent = await cloud.Make("projects", "project", new { name = "p" + i, parent_id = parent }));
        Assert.Equal(403, (await cloud.Send("POST", "/identity/v3/projects", new { project = new { name = "deep", parent_id = parent } })).Status);
        Assert.Equal(404, (await cloud.Send("POST", "/identity/v3/projects", new { project = new { name = "x", parent_id = "none" } })).Status);
        Assert.Equal(403, (await cloud.Send("PATCH", "/identity/v3/projects/" + made[0], new { project = new { enabled = false } })).Status);
        var shown = (await cloud.Send("GET", $"/identity/v3/projects/{made[3]}?parents_as_ids&subtree_as_list")).Body.GetProperty("project");
        Assert.True(shown.GetProperty("parents").GetProperty(made[2]).GetProperty(made[1]).GetProperty(made[0]).TryGetProperty("default", out _));
        Assert.Equal(made[4], shown.GetProperty("subtree")[0].GetProperty("project").GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("tags=a", "x,y")]
    [InlineData("tags=a,b", "x")]
    [InlineData("tags-any=b,c", "x,z")]
    [InlineData("not-tags=a,b", "y,z")]
    [InlineData("not-tags-any=b,c", "y")]
    public async Task Tags_filter_projects(string query, string names)
    {
        await using var cloud = await TestCloud.Start();
        foreach (var (name, tags) in new[] { ("x", new[] { "a", "b" }), ("y", ["a"]), ("z", ["c"]) }) await cloud.Make("projects", "project", new { name, tags });
        var found = (await cloud.Send("GET", "/identity/v3/projects?" + query)).Body.GetProperty("projects").EnumerateArray().Select(p => p.GetProperty("name").GetString()!).Where(n => n.Length == 1);
        Assert.Equal(names.Split(','), found.Order());
    }

    [Fact]
    public async Task What_is_immutable_stays()
    {
        await using var cloud = await TestCloud.Start();
        var reader = await cloud.IdOf("roles", "reader");
        Assert.Equal(403, (await cloud.Send("DELETE", "/identity/v3/roles/" + reader)).Status);
        Assert.Equal(403, (await cloud.Send("PATCH", "/identity/v3/roles/" + reader, new { role = new { name = "boss" } })).Status);
        var project = await cloud.Make("projects", "project", new { name = "p", options = new { immutable = true } });
        Assert.Equal(403, (await cloud.Send("DELETE", "/identity/v3/projects/" + project)).Status);
        Assert.Equal(200, (await cloud.Send("PATCH", "/identity/v3/projects/" + project, new { project = new { options = new { immutable = (bool?)null } } })).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", "/identity/v3/projects/" + project)).Status);
    }

    [Fact]
    public async Task Several_limits_are_made_together_or_not_at_all()
    {
        await using var cloud = await TestCloud.Start();
        var ok = new { service_id = "compute", resource_name = "cores", default_limit = 10 };
        var answer = await cloud.Send("POST", "/identity/v3/registered_limits", new { registered_limits = new object[] { ok, new { service_id = "none", resource_name = "x", default_limit = 1 } } });
        Assert.Equal(400, answer.Status);
        Assert.Equal(0, (await cloud.Send("GET", "/identity/v3/registered_limits")).Body.GetProperty("registered_limits").GetArrayLength());
        Assert.Equal(201, (await cloud.Send("POST", "/identity/v3/registered_limits", new { registered_limits = new[] { ok } })).Status);
        Assert.Equal(409, (await cloud.Send("POST", "/identity/v3/registered_limits", new { registered_limits = new[] { ok } })).Status);
        var demo = await cloud.IdOf("projects", "demo");
        Assert.Equal(201, (await cloud.Send("POST", "/identity/v3/limits", new { limits = new[] { new { service_id = "compute", resource_name = "cores", resource_limit = 5, project_id = demo } } })).Status);
        Assert.Equal(1, (await cloud.Send("GET", "/identity/v3/limits", user: "demo")).Body.GetProperty("limits").GetArrayLength());
        await cloud.AddUser("ann");
        Assert.Equal(0, (await cloud.Send("GET", "/identity/v3/limits", user: "ann")).Body.GetProperty("limits").GetArrayLength());
    }
}
