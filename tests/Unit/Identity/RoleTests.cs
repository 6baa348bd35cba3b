using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

public sealed class RoleTests
{
    [Fact]
    public async Task Roles_come_by_oneself_by_group_by_inheritance_and_by_implication()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann", "reader");
        var (ann, project) = (await cloud.IdOf("users", "ann"), await cloud.IdOf("projects", "ann"));
        var scope = new { project = new { id = project } };
        Assert.Equal(["reader"], (await cloud.Login("ann", scope)).Roles());

        var group = await cloud.Make("groups", "group", new { name = "ops" });
        var operate = await cloud.Make("roles", "role", new { name = "operate" });
        await cloud.Send("PUT", $"/identity/v3/groups/{group}/users/{ann}");
        await cloud.Send("PUT", $"/identity/v3/projects/{project}/groups/{group}/roles/{operate}");
        Assert.Equal(["operate", "reader"], (await cloud.Login("ann", scope)).Roles());

        var watch = await cloud.Make("roles", "role", new { name = "watch" });
        Assert.Equal(201, (await cloud.Send("PUT", $"/identity/v3/roles/{operate}/implies/{watch}")).Status);
        Assert.Equal(["operate", "reader", "watch"], (await cloud.Login("ann", scope)).Roles());

        var audit = await cloud.Make("roles", "role", new { name = "audit" });
        await cloud.Send("PUT", $"/identity/v3/OS-INHERIT/domains/default/users/{ann}/roles/{audit}/inherited_to_projects");
        Assert.Equal(["audit", "operate", "reader", "watch"], (await cloud.Login("ann", scope)).Roles());
        Assert.Equal(401, (await cloud.Login("ann", new { domain = new { id = "default" } })).Status); // inherited to projects, not had on the domain

        await cloud.Send("DELETE", $"/identity/v3/groups/{group}/users/{ann}");
        Assert.Equal(["audit", "reader"], (await cloud.Login("ann", scope)).Roles());
    }

    [Fact]
    public async Task Inherited_roles_reach_projects_below_but_not_the_one_they_were_given_on()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (ann, member) = (await cloud.IdOf("users", "ann"), await cloud.IdOf("roles", "member"));
        var top = await cloud.Make("projects", "project", new { name = "top" });
        var middle = await cloud.Make("projects", "project", new { name = "middle", parent_id = top });
        var leaf = await cloud.Make("projects", "project", new { name = "leaf", parent_id = middle });
        Assert.Equal(204, (await cloud.Send("PUT", $"/identity/v3/OS-INHERIT/projects/{top}/users/{ann}/roles/{member}/inherited_to_projects")).Status);
        Assert.Equal(401, (await cloud.Login("ann", new { project = new { id = top } })).Status);
        Assert.Equal(["member", "reader"], (await cloud.Login("ann", new { project = new { id = leaf } })).Roles());
        var mine = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "ann")).Body.GetProperty("projects").EnumerateArray().Select(p => p.GetProperty("name").GetString());
        Assert.Equal(["ann", "leaf", "middle"], mine.Order());
    }

    [Fact]
    public async Task A_domains_own_role_gives_nothing_by_its_name()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann", "reader");
        var (ann, project) = (await cloud.IdOf("users", "ann"), await cloud.IdOf("projects", "ann"));
        var fake = await cloud.Make("roles", "role", new { name = "admin", domain_id = "default" });
        Assert.Equal(204, (await cloud.Send("PUT", $"/identity/v3/projects/{project}/users/{ann}/roles/{fake}")).Status);
        var login = await cloud.Login("ann", new { project = new { id = project } });
        Assert.Equal(["reader"], login.Roles());
        Assert.Equal(403, (await cloud.Raw("GET", "/identity/v3/users", login.Token(), null)).Status);
        Assert.Equal(403, (await cloud.Send("PUT", $"/identity/v3/roles/{await cloud.IdOf("roles", "reader")}/implies/{fake}")).Status);
    }

    [Fact]
    public async Task The_administrator_of_a_domain_rules_it_and_nothing_else()
    {
        await using var cloud = await TestCloud.Start();
        var domain = await cloud.Make("domains", "domain", new { name = "acme" });
        var boss = await cloud.Make("users", "user", new { name = "boss", password = "boss-secret", domain_id = domain });
        var admin = await cloud.IdOf("roles", "admin");
        await cloud.Send("PUT", $"/identity/v3/domains/{domain}/users/{boss}/roles/{admin}");
        var token = (await cloud.Login("boss", new { domain = new { id = domain } }, domain: domain)).Token();
        Task<Answer> Do(string method, string path, string? body = null) => cloud.Raw(method, "/identity/v3" + path, token, body);

        var project = (await Do("POST", "/projects", """{"project":{"name":"p"}}""")).Body.GetProperty("project");
        Assert.Equal(domain, project.GetProperty("domain_id").GetString());
        Assert.Equal(201, (await Do("POST", "/users", """{"user":{"name":"u"}}""")).Status);
        Assert.Equal(["boss", "u"], (await Do("GET", "/users")).Body.GetProperty("users").EnumerateArray().Select(u => u.GetProperty("name").GetString()).Order());

        Assert.Equal(403, (await Do("POST", "/users", """{"user":{"name":"u","domain_id":"default"}}""")).Status);
        Assert.Equal(403, (await Do("POST", "/users", """{"user":{"name":"u","domain_id":"missing"}}""")).Status);
        Assert.Equal(403, (await Do("POST", "/domains", """{"domain":{"name":"more"}}""")).Status);
        Assert.Equal(403, (await Do("PUT", $"/system/users/{boss}/roles/{admin}")).Status);
        Assert.Equal(403, (await cloud.Raw("GET", "/compute/v2.1/os-hypervisors", token, null)).Status);

        // Roles and the catalog are the system's.
        foreach (var path in new[] { "/roles", "/roles/" + admin, "/services", "/endpoints" }) Assert.Equal((path, 403), (path, (await Do("GET", path)).Status));

        // Of who is in what group with whom he sees his own domain's side.
        var (ours, others) = (await cloud.Make("groups", "group", new { name = "ours", domain_id = domain }), await cloud.Make("groups", "group", new { name = "others" }));
        foreach (var group in new[] { ours, others }) await cloud.Send("PUT", $"/identity/v3/groups/{group}/users/{boss}");
        await cloud.Send("PUT", $"/identity/v3/groups/{ours}/users/{await cloud.IdOf("users", "demo")}");
        Assert.Equal(ours, Assert.Single((await Do("GET", $"/users/{boss}/groups")).Body.GetProperty("groups").EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(boss, Assert.Single((await Do("GET", $"/groups/{ours}/users")).Body.GetProperty("users").EnumerateArray()).GetProperty("id").GetString());

        // On a project the role would make him the whole cloud's administrator.
        var id = project.GetProperty("id").GetString();
        Assert.Equal(403, (await Do("PUT", $"/projects/{id}/users/{boss}/roles/{admin}")).Status);
        Assert.Equal(403, (await Do("PUT", $"/OS-INHERIT/domains/{domain}/users/{boss}/roles/{admin}/inherited_to_projects")).Status);
        Assert.Equal(204, (await Do("PUT", $"/projects/{id}/users/{boss}/roles/{await cloud.IdOf("roles", "member")}")).Status);

        // Whether others' things exist he doesn't learn.
        var theirs = await Do("PUT", $"/projects/{await cloud.IdOf("projects", "demo")}/users/{boss}/roles/{admin}");
        var missing = await Do("PUT", $"/projects/nothing/users/{boss}/roles/{admin}");
        Assert.Equal((403, theirs.Text), (missing.Status, missing.Text));
    }

    [Fact]
    public async Task Assignments_are_listed_as_given_and_as_they_come_out()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("ann");
        var (ann, project) = (await cloud.IdOf("users", "ann"), await cloud.IdOf("projects", "ann"));
        var given = (await cloud.Send("GET", $"/identity/v3/role_assignments?user.id={ann}&include_names")).Body.GetProperty("role_assignments");
        Assert.Equal("member", given[0].GetProperty("role").GetProperty("name").GetString());
        Assert.Equal("Default", given[0].GetProperty("user").GetProperty("domain").GetProperty("name").GetString());
        Assert.Equal(project, given[0].GetProperty("scope").GetProperty("project").GetProperty("id").GetString());
        Assert.Equal(1, given.GetArrayLength());
        var effective = (await cloud.Send("GET", $"/identity/v3/role_assignments?user.id={ann}&effective")).Body.GetProperty("role_assignments");
        Assert.Equal(2, effective.GetArrayLength());
        Assert.Equal(403, (await cloud.Send("GET", "/identity/v3/role_assignments", user: "ann")).Status);
    }
}
