using Cloud.Identity;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>Clients look people, groups and projects up by name before anything else: that must not read all of them.</summary>
public sealed class ByNameTests
{
    [Theory, InlineData("users", "user"), InlineData("groups", "group"), InlineData("projects", "project")]
    public async Task One_of_a_name_is_found_without_reading_the_others(string many, string one)
    {
        await using var cloud = await TestCloud.Start();
        await Make(cloud, many, one, "wanted");
        await cloud.Token();
        var few = await ReadsOf(cloud, many);
        for (var i = 0; i < 30; i++) await Make(cloud, many, one, $"other-{i}");
        Assert.Equal(few, await ReadsOf(cloud, many));
    }

    [Fact]
    public async Task A_name_finds_whoever_has_it_now()
    {
        await using var cloud = await TestCloud.Start();
        var domain = (await cloud.Send("POST", "/identity/v3/domains", new { domain = new { name = "elsewhere" } })).Id("domain");
        var (here, there) = (await Make(cloud, "users", "user", "x|y/%"), (await cloud.Send("POST", "/identity/v3/users", new { user = new { name = "x|y/%", domain_id = domain } })).Id("user"));
        Assert.Equal(new[] { here, there }.Order(), await Found(cloud, "x%7Cy%2F%25"));
        Assert.Equal([there], await Found(cloud, "x%7Cy%2F%25&domain_id=" + domain));
        var (first, second) = string.CompareOrdinal(here, there) < 0 ? (here, there) : (there, here);
        Assert.Equal([first], await Found(cloud, "x%7Cy%2F%25&limit=1"));
        Assert.Equal([second], await Found(cloud, $"x%7Cy%2F%25&limit=1&marker={first}"));
        await cloud.Send("PATCH", "/identity/v3/users/" + here, new { user = new { name = "z" } });
        await cloud.Send("DELETE", "/identity/v3/users/" + there);
        Assert.Empty(await Found(cloud, "x%7Cy%2F%25"));
        Assert.Equal([here], await Found(cloud, "z"));
        Assert.Empty(await Found(cloud, "Z"));
        Assert.Equal([here], (await Found(cloud, "z&name=demo")).Intersect([here]));
        await cloud.Send("DELETE", "/identity/v3/users/" + here);
        Assert.DoesNotContain(cloud.Store.All, r => r.Key.StartsWith("user.name|", StringComparison.Ordinal) && (r.Key.EndsWith(here, StringComparison.Ordinal) || r.Key.EndsWith(there, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Who_was_there_before_names_were_indexed_is_found_too()
    {
        await using var cloud = await TestCloud.Start();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++) ids.Add(await Make(cloud, "users", "user", $"old-{i}"));
        cloud.Store.Load(cloud.Store.All.Where(r => !r.Key.StartsWith("user.name", StringComparison.Ordinal)));
        Assert.Empty(await Found(cloud, "old-1"));
        await Bootstrap.Run(cloud.Services);
        Assert.Equal([ids[1]], await Found(cloud, "old-1"));
    }

    private static async Task<string> Make(TestCloud cloud, string many, string one, string name) =>
        (await cloud.Send("POST", "/identity/v3/" + many, new Dictionary<string, object> { [one] = new { name } })).Id(one);

    private static async Task<string[]> Found(TestCloud cloud, string query) =>
        [.. (await cloud.Send("GET", "/identity/v3/users?name=" + query)).Body.GetProperty("users").EnumerateArray().Select(u => u.GetProperty("id").GetString()!).Order()];

    private static async Task<int> ReadsOf(TestCloud cloud, string many)
    {
        CountingStore? store = null;
        await using var copy = cloud.Copy(wrap: s => store = new(s));
        Assert.Equal(1, (await copy.Send("GET", $"/identity/v3/{many}?name=wanted")).Body.GetProperty(many).GetArrayLength());
        return store!.Reads;
    }
}
