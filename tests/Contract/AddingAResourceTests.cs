using System.Text.RegularExpressions;
using Cloud.Platform;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>docs/adding-a-resource.md, followed: its code is what is in the folder Scratch, and that works as the page says.</summary>
public sealed class AddingAResourceTests
{
    private static Task<TestCloud> Start(int hosts = 1) => TestCloud.Start(hosts, [.. Slices.All, Cloud.Scratch.Api.Slice]);

    [Fact]
    public void The_page_shows_the_code_that_is_tested()
    {
        var page = File.ReadAllText(Repository.Path("docs/adding-a-resource.md"));
        foreach (var (language, file) in new[] { ("csharp", "Scratches.cs"), ("json", "policy.json") })
        {
            var code = File.ReadAllText(Repository.Path("tests/Contract/Scratch/" + file));
            var blocks = Regex.Matches(page, $"```{language}\n(.*?)```", RegexOptions.Singleline).Select(m => m.Groups[1].Value).ToList();
            Assert.NotEmpty(blocks);
            Assert.All(blocks, b => Assert.Contains(b, code, StringComparison.Ordinal));
            // Nothing of the code but its first lines is left out.
            Assert.Equal(Lines(code).SkipWhile(l => l.StartsWith("using ", StringComparison.Ordinal) || l.StartsWith("namespace ", StringComparison.Ordinal)), blocks.SelectMany(Lines));
        }
    }

    private static IEnumerable<string> Lines(string code) => code.Split('\n').Where(l => l.Trim().Length > 0);

    [Fact]
    public async Task It_is_made_listed_changed_and_removed_with_its_disk()
    {
        await using var cloud = await Start();
        var made = await cloud.Send("POST", "/scratch/v1/scratches", new { scratch = new { name = "a", gib = 3 } }, "demo");
        Assert.Equal((202, "building"), (made.Status, made.Body.GetProperty("scratch").GetProperty("status").GetString()));
        var path = "/scratch/v1/scratches/" + made.Id("scratch");
        await cloud.Drain();
        Assert.Equal("ready", (await cloud.Send("GET", path, user: "demo")).Body.GetProperty("scratch").GetProperty("status").GetString());
        Assert.Contains($"disk/{made.Id("scratch")}", cloud.Hosts[0].World.Keys);
        Assert.Equal("b", (await cloud.Send("PUT", path, new { scratch = new { name = "b" } }, "demo")).Body.GetProperty("scratch").GetProperty("name").GetString());
        Assert.Equal(1, (await cloud.Send("GET", "/scratch/v1/scratches?name=b&sort=gib:asc", user: "demo")).Body.GetProperty("scratches").GetArrayLength());
        Assert.Equal(202, (await cloud.Send("DELETE", path, user: "demo")).Status);
        await cloud.Drain();
        Assert.Equal(404, (await cloud.Send("GET", path, user: "demo")).Status);
        Assert.Empty(cloud.Hosts[0].World);
        Assert.Empty(cloud.Errors);
        Assert.Contains("cloud.serverless.scratch.scratch.deleted", (await cloud.Send("GET", "/events/v1/events?type=cloud.serverless.scratch.*", user: "demo")).Text, StringComparison.Ordinal);
        Assert.Contains(cloud.Services.Slices, s => s.CatalogName == "scratch");
    }

    [Fact]
    public async Task Without_a_host_it_fails_and_leaves_nothing()
    {
        await using var cloud = await Start(hosts: 0);
        var path = "/scratch/v1/scratches/" + (await cloud.Send("POST", "/scratch/v1/scratches", new { scratch = new { gib = 3 } }, "demo")).Id("scratch");
        await cloud.Drain();
        Assert.Equal("error", (await cloud.Send("GET", path, user: "demo")).Body.GetProperty("scratch").GetProperty("status").GetString());
        Assert.Equal(202, (await cloud.Send("DELETE", path, user: "demo")).Status);
        await cloud.Drain();
        Assert.Equal(404, (await cloud.Send("GET", path, user: "demo")).Status);
    }

    [Theory]
    [InlineData("{\"scratch\": {}}", 400)]
    [InlineData("{\"scratch\": {\"gib\": 0}}", 400)]
    [InlineData("{\"scratch\": {\"gib\": 1, \"host\": \"sim-1\"}}", 400)]
    [InlineData("{\"scratch\": {\"gib\": 51}}", 413)]
    public async Task What_the_page_promises_to_refuse_is_refused(string body, int status)
    {
        await using var cloud = await Start();
        var refused = await cloud.Send("POST", "/scratch/v1/scratches", body, "demo");
        Assert.Equal(status, refused.Status);
        Assert.Equal(0, (await cloud.Send("GET", "/scratch/v1/scratches", user: "demo")).Body.GetProperty("scratches").GetArrayLength());
    }

    [Fact]
    public async Task Others_dont_see_it_and_readers_dont_write()
    {
        await using var cloud = await Start();
        await cloud.AddUser("eve");
        await cloud.AddUser("rita", "reader");
        var path = "/scratch/v1/scratches/" + (await cloud.Send("POST", "/scratch/v1/scratches", new { scratch = new { gib = 3 } }, "demo")).Id("scratch");
        await cloud.Drain();
        Assert.Equal(404, (await cloud.Send("GET", path, user: "eve")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", path, user: "eve")).Status);
        Assert.Equal(403, (await cloud.Send("POST", "/scratch/v1/scratches", new { scratch = new { gib = 3 } }, "rita")).Status);
        Assert.Equal(1, (await cloud.Send("GET", "/scratch/v1/scratches?all_projects=1")).Body.GetProperty("scratches").GetArrayLength());
    }
}
