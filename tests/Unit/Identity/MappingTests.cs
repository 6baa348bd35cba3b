using System.Text.Json;
using Cloud.Identity;
using Cloud.Platform.Rest;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>What rules make of what a provider says.</summary>
public sealed class MappingTests
{
    private static readonly Attributes Ann = new(new Dictionary<string, string[]> { ["sub"] = ["ann"], ["first"] = ["Ann"], ["last"] = ["Lee"], ["mail"] = ["ann@corp.example"], ["groups"] = ["dev", "ops", "admins"], ["none"] = [] });

    private static Mapped? By(string rules) => Ann.By(MappingRule.Read(JsonDocument.Parse(rules).RootElement));

    private static IEnumerable<string?> Groups(string remote) =>
        By($$$$"""[{"local":[{"user":{"name":"x"}},{"groups":"{0}","domain":{"name":"D"}}],"remote":[{"type":"groups",{{{{remote}}}}}]}]""")!.Groups.Select(g => g.Name);

    [Fact]
    public void Values_go_where_their_numbers_are()
    {
        var ann = By("""[{"local":[{"user":{"name":"{0} {1}","email":"{2}","domain":{"id":"d"}},"group":{"id":"g"}},{"projects":[{"name":"{0}'s","roles":[{"name":"member"}]}]}],"remote":[{"type":"first"},{"type":"last"},{"type":"sub","any_one_of":["ann"]},{"type":"mail"}]}]""")!;
        Assert.Equal(("Ann Lee", "ann@corp.example", "d"), (ann.User.Name, ann.User.Email, ann.User.Domain!.Id));
        Assert.Equal("g", Assert.Single(ann.Groups).Id);
        Assert.Equal(("Ann's", "member"), (Assert.Single(ann.Projects).Name, ann.Projects[0].Roles[0].Name));
    }

    [Fact]
    public void Lists_are_groups_each_but_for_those_left_out()
    {
        Assert.Equal(["dev", "ops"], Groups("\"whitelist\":[\"dev\",\"ops\",\"x\"]"));
        Assert.Equal(["dev", "ops"], Groups("\"blacklist\":[\"admins\"]"));
        Assert.Equal(["dev", "admins"], Groups("\"whitelist\":[\"^(dev|admin)\"],\"regex\":true"));
        Assert.Equal(["ops"], Groups("\"blacklist\":[\"^(dev|admin)\"],\"regex\":true"));
        Assert.Empty(Groups("\"whitelist\":[]"));
        Assert.Equal(["a", "b"], new Attributes(new Dictionary<string, string[]> { ["g"] = ["a", "b"], ["u"] = ["x"] })
            .By(MappingRule.Read(JsonDocument.Parse("""[{"local":[{"user":{"name":"{0}"}},{"group_ids":"{1}"}],"remote":[{"type":"u"},{"type":"g"}]}]""").RootElement))!.Groups.Select(g => g.Id));
    }

    [Theory]
    [InlineData("""{"type":"groups","any_one_of":["ops"]}""", true)]
    [InlineData("""{"type":"groups","any_one_of":["op"]}""", false)]
    [InlineData("""{"type":"groups","any_one_of":["^op"],"regex":true}""", true)]
    [InlineData("""{"type":"groups","not_any_of":["ops"]}""", false)]
    [InlineData("""{"type":"groups","not_any_of":["guests"]}""", true)]
    [InlineData("""{"type":"groups","not_any_of":["s$"],"regex":true}""", false)]
    [InlineData("""{"type":"missing"}""", false)]
    [InlineData("""{"type":"missing","not_any_of":["x"]}""", false)]
    [InlineData("""{"type":"none"}""", false)]
    public void A_rule_applies_when_all_its_conditions_do(string condition, bool applies) =>
        Assert.Equal(applies, By($$$$"""[{"local":[{"user":{"name":"{0}"}}],"remote":[{"type":"sub"},{{{{condition}}}}]}]""") is not null);

    [Fact]
    public void Rules_add_up_and_the_first_user_counts()
    {
        var ann = By("""[{"local":[{"user":{"name":"a"}}],"remote":[{"type":"sub"}]},{"local":[{"user":{"name":"b"}},{"group":{"id":"g"}}],"remote":[{"type":"sub"}]},{"local":[{"group":{"id":"g"}}],"remote":[{"type":"sub"}]}]""")!;
        Assert.Equal("a", ann.User.Name);
        Assert.Single(ann.Groups);
        Assert.Null(By("""[{"local":[{"group":{"id":"g"}}],"remote":[{"type":"sub"}]}]""")); // nobody
    }

    [Theory]
    [InlineData("{0}", """{"type":"groups"}""")]
    [InlineData("{1}", """{"type":"sub"}""")]
    [InlineData("{0}", """{"type":"groups","whitelist":["x"]}""")]
    public void A_name_is_made_of_exactly_one_value(string name, string remote) =>
        Assert.Throws<FormatException>(() => By($$$$"""[{"local":[{"user":{"name":"{{{{name}}}}"}}],"remote":[{{{{remote}}}}]}]"""));

    [Theory]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""[{"local":[]}]""")]
    [InlineData("""[{"local":[],"remote":[]}]""")]
    [InlineData("""[{"local":[{"role":{"name":"admin"}}],"remote":[{"type":"a"}]}]""")]
    [InlineData("""[{"local":[{"groups":"{0}"}],"remote":[{"type":"a"}]}]""")]
    [InlineData("""[{"local":[{"group":{"name":"g"}}],"remote":[{"type":"a"}]}]""")]
    [InlineData("""[{"local":[{"user":{"name":"x","type":"root"}}],"remote":[{"type":"a"}]}]""")]
    [InlineData("""[{"local":[],"remote":[{"any_one_of":["a"]}]}]""")]
    [InlineData("""[{"local":[],"remote":[{"type":"a","any_one_of":["a"],"not_any_of":["b"]}]}]""")]
    [InlineData("""[{"local":[],"remote":[{"type":"a","any_one_of":["("],"regex":true}]}]""")]
    [InlineData("""[{"local":[null],"remote":[{"type":"a"}]}]""")]
    public void Rules_without_sense_are_refused(string rules) => Assert.Equal(400, Assert.Throws<Fault>(() => By(rules)).Status);
}
