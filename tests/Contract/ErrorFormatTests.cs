using System.Text;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>docs/errors.md shows what each service really answers.</summary>
public sealed class ErrorFormatTests
{
    private const string Nothing = "00000000-0000-4000-8000-000000000000";

    [Fact]
    public async Task The_page_shows_the_answers_that_are_given()
    {
        await using var cloud = await TestCloud.Start();
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "demo")).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
        (string Service, string Method, string Path, object? Body)[] asked =
        [
            ("identity", "GET", $"/identity/v3/users/{Nothing}", null),
            ("image", "GET", $"/image/v2/images/{Nothing}", null),
            ("compute", "GET", $"/compute/v2.1/servers/{Nothing}", null),
            ("network", "GET", $"/network/v2.0/networks/{Nothing}", null),
            ("network", "POST", "/network/v2.0/networks", new { network = new { colour = "red" } }),
            ("block storage", "GET", $"/volume/v3/{project}/volumes/{Nothing}", null),
            ("placement", "GET", "/placement/resource_providers", null),
            ("events", "GET", "/events/v1/events?limit=0", null),
        ];
        var text = new StringBuilder();
        foreach (var (service, method, path, body) in asked)
        {
            var answer = await cloud.Send(method, path, body, "demo");
            Assert.InRange(answer.Status, 400, 499);
            // The web server writes quotes as they are.
            var shown = Regex.Replace(answer.Text.Replace("\\u0027", "'", StringComparison.Ordinal).Replace(project, "PROJECT", StringComparison.Ordinal), "req-[0-9a-f-]{36}", "req-...").Replace(Nothing, "ID", StringComparison.Ordinal);
            var (target, lines) = (path.Replace(project, "PROJECT", StringComparison.Ordinal).Replace(Nothing, "ID", StringComparison.Ordinal), shown.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0));
            text.Append($"**{service}**: `{method} {target}` answers {answer.Status}\n\n```\n{string.Join('\n', lines)}\n```\n\n");
        }
        Golden.Contains(Repository.Path("docs/errors.md"), "examples", text.ToString());
    }

    /// <summary>What belongs to another project and what never was are told apart by nothing.</summary>
    [Theory]
    [InlineData("GET", "")]
    [InlineData("PUT", "")]
    [InlineData("DELETE", "")]
    [InlineData("GET", "/metadata")]
    public async Task Not_visible_and_not_there_look_the_same(string method, string tail)
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        string Of(string user, string? id) => $"/volume/v3/{Projects[user]}/volumes{(id is null ? "" : "/" + id + tail)}";
        foreach (var user in new[] { "demo", "eve" }) Projects[user] = (await cloud.Send("GET", "/identity/v3/auth/projects", user: user)).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
        var id = (await cloud.Send("POST", Of("demo", null), new { volume = new { size = 1 } }, "demo")).Id("volume");
        await cloud.Drain();
        object? body = method == "PUT" ? new { volume = new { name = "mine" } } : null;
        var (hidden, missing) = (await cloud.Send(method, Of("eve", id), body, "eve"), await cloud.Send(method, Of("eve", Nothing), body, "eve"));
        Assert.Equal((404, missing.Text.Replace(Nothing, id, StringComparison.Ordinal)), (hidden.Status, hidden.Text));
    }

    private Dictionary<string, string> Projects { get; } = [];
}
