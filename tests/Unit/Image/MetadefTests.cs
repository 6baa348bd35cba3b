using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Image;

/// <summary>Metadata definitions: namespaces and what is in them.</summary>
public sealed class MetadefTests
{
    private const string Root = "/image/v2/metadefs/namespaces";

    private static readonly object Disk = new { title = "Disk bus", type = "string", @enum = new[] { "virtio", "scsi" } };

    private static async Task<TestCloud> With(object? more = null)
    {
        var cloud = await TestCloud.Start();
        var body = new Dictionary<string, object>
        {
            ["namespace"] = "OS::Disks", ["visibility"] = "public", ["resource_type_associations"] = new[] { new { name = "OS::Glance::Image", prefix = "hw_" } },
            ["properties"] = new { bus = Disk }, ["objects"] = new[] { new { name = "cpu", required = new[] { "cores" }, properties = new { cores = new { title = "Cores", type = "integer", minimum = 1, maxLength = 2 } } } },
            ["tags"] = new[] { new { name = "fast" } },
        };
        foreach (var p in JsonSerializer.SerializeToElement(more ?? new { }).EnumerateObject()) body[p.Name] = p.Value;
        Assert.Equal(201, (await cloud.Send("POST", Root, body)).Status);
        return cloud;
    }

    private static string[] Names(JsonElement list) => [.. list.EnumerateArray().Select(x => x.GetProperty("name").GetString()!)];

    [Fact]
    public async Task A_namespace_shows_all_that_is_in_it()
    {
        await using var cloud = await With();
        var shown = (await cloud.Send("GET", Root + "/OS::Disks", user: "demo")).Body;
        Assert.Equal(("OS::Disks", "public", false, "/v2/metadefs/namespaces/OS::Disks"), (shown.GetProperty("namespace").GetString(), shown.GetProperty("visibility").GetString(), shown.GetProperty("protected").GetBoolean(), shown.GetProperty("self").GetString()));
        Assert.Equal("virtio", shown.GetProperty("properties").GetProperty("bus").GetProperty("enum")[0].GetString());
        Assert.Equal(2, shown.GetProperty("objects")[0].GetProperty("properties").GetProperty("cores").GetProperty("maxLength").GetInt32());
        Assert.Equal("""[{"name":"fast"}]""", shown.GetProperty("tags").GetRawText());
        var listed = (await cloud.Send("GET", Root, user: "demo")).Body;
        Assert.Equal("/v2/schemas/metadefs/namespaces", listed.GetProperty("schema").GetString());
        var one = Assert.Single(listed.GetProperty("namespaces").EnumerateArray());
        Assert.True(one.TryGetProperty("resource_type_associations", out _) && !one.TryGetProperty("properties", out _));
        Assert.Empty((await cloud.Send("GET", Root + "?resource_types=OS::Nova::Flavor", user: "demo")).Body.GetProperty("namespaces").EnumerateArray());
    }

    [Fact]
    public async Task On_a_kind_of_resource_names_have_its_prefix()
    {
        await using var cloud = await With();
        var shown = (await cloud.Send("GET", Root + "/OS::Disks?resource_type=OS::Glance::Image")).Body;
        Assert.True(shown.GetProperty("properties").TryGetProperty("hw_bus", out _));
        Assert.Equal("hw_cores", shown.GetProperty("objects")[0].GetProperty("required")[0].GetString());
        Assert.Equal("bus", (await cloud.Send("GET", Root + "/OS::Disks/properties/hw_bus?resource_type=OS::Glance::Image")).Body.GetProperty("name").GetString());
        Assert.Equal(404, (await cloud.Send("GET", Root + "/OS::Disks/properties/bus?resource_type=OS::Glance::Image")).Status);
    }

    [Fact]
    public async Task What_is_private_is_not_there_for_others()
    {
        await using var cloud = await With(new { visibility = "private", resource_type_associations = new[] { new { name = "Our::Own" } } });
        foreach (var tail in new[] { "", "/objects", "/properties/bus", "/tags", "/resource_types" })
        {
            Assert.Equal(404, (await cloud.Send("GET", Root + "/OS::Disks" + tail, user: "demo")).Status);
            Assert.Equal(200, (await cloud.Send("GET", Root + "/OS::Disks" + tail)).Status);
        }
        Assert.Empty((await cloud.Send("GET", Root, user: "demo")).Body.GetProperty("namespaces").EnumerateArray());
        Assert.DoesNotContain("Our::Own", Names((await cloud.Send("GET", "/image/v2/metadefs/resource_types", user: "demo")).Body.GetProperty("resource_types")));
        Assert.Contains("Our::Own", Names((await cloud.Send("GET", "/image/v2/metadefs/resource_types")).Body.GetProperty("resource_types")));
        // Given to a project, it is that project's to see.
        Assert.Equal(200, (await cloud.Send("PUT", Root + "/OS::Disks", new { @namespace = "OS::Disks", owner = await cloud.IdOf("projects", "demo") })).Status);
        Assert.Equal(200, (await cloud.Send("GET", Root + "/OS::Disks/objects/cpu", user: "demo")).Status);
    }

    [Fact]
    public async Task Protected_means_that_nothing_of_it_is_deleted()
    {
        await using var cloud = await With(new { @protected = true });
        foreach (var tail in new[] { "", "/objects", "/objects/cpu", "/properties", "/properties/bus", "/tags", "/tags/fast", "/resource_types/OS::Glance::Image" })
            Assert.Equal((tail, 403), (tail, (await cloud.Send("DELETE", Root + "/OS::Disks" + tail)).Status));
        Assert.Equal(200, (await cloud.Send("PUT", Root + "/OS::Disks", new { @namespace = "OS::Disks" })).Status);
        foreach (var tail in new[] { "/objects/cpu", "/properties/bus", "/tags/fast", "/resource_types/OS::Glance::Image", "/objects", "/properties", "/tags", "" })
            Assert.Equal((tail, 204), (tail, (await cloud.Send("DELETE", Root + "/OS::Disks" + tail)).Status));
        Assert.Equal(404, (await cloud.Send("GET", Root + "/OS::Disks")).Status);
    }

    [Fact]
    public async Task Another_name_keeps_what_is_in_it_and_frees_the_old_one()
    {
        await using var cloud = await With();
        var renamed = await cloud.Send("PUT", Root + "/OS::Disks", new { @namespace = "OS::More", visibility = "public" });
        Assert.Equal((200, "OS::More"), (renamed.Status, renamed.Body.GetProperty("namespace").GetString()));
        Assert.Equal(200, (await cloud.Send("GET", Root + "/OS::More/properties/bus", user: "demo")).Status);
        Assert.Equal(404, (await cloud.Send("GET", Root + "/OS::Disks")).Status);
        Assert.Equal(201, (await cloud.Send("POST", Root, new { @namespace = "OS::Disks" })).Status);
        Assert.Equal(409, (await cloud.Send("PUT", Root + "/OS::More", new { @namespace = "OS::Disks" })).Status);
        Assert.Equal(409, (await cloud.Send("POST", Root, new { @namespace = "OS::More" })).Status);
    }

    [Theory]
    [InlineData("objects", """{"name":"a","properties":{"p":{"title":"P","type":"string"}}}""", """{"name":"b"}""")]
    [InlineData("properties", """{"name":"a","title":"A","type":"string"}""", """{"name":"b","title":"B","type":"integer"}""")]
    public async Task Parts_come_change_and_go(string many, string one, string other)
    {
        await using var cloud = await With();
        var at = $"{Root}/OS::Disks/{many}";
        Assert.Equal(201, (await cloud.Send("POST", at, one)).Status);
        Assert.Equal(409, (await cloud.Send("POST", at, one)).Status);
        Assert.Equal(200, (await cloud.Send("PUT", at + "/a", other)).Status);
        Assert.Equal(404, (await cloud.Send("GET", at + "/a")).Status);
        Assert.Equal("b", (await cloud.Send("GET", at + "/b", user: "demo")).Body.GetProperty("name").GetString());
        Assert.Equal(201, (await cloud.Send("POST", at, one)).Status);
        Assert.Equal(409, (await cloud.Send("PUT", at + "/a", other)).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", at + "/b")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", at + "/b")).Status);
        Assert.Equal(204, (await cloud.Send("DELETE", at)).Status);
        Assert.Equal(404, (await cloud.Send("GET", at + "/a")).Status);
    }

    [Fact]
    public async Task Many_tags_replace_those_there_unless_they_are_to_be_added()
    {
        await using var cloud = await With();
        const string At = Root + "/OS::Disks/tags";
        async Task<string> All() => string.Join(',', Names((await cloud.Send("GET", At, user: "demo")).Body.GetProperty("tags")));
        Assert.Equal(201, (await cloud.Send("POST", At, """{"tags":[{"name":"c"},{"name":"a"}]}""")).Status);
        Assert.Equal("a,c", await All());
        Assert.Equal(201, (await cloud.Send("POST", At, """{"tags":[{"name":"b"}]}""", "admin", ("X-Openstack-Append", "True"))).Status);
        Assert.Equal("a,b,c", await All());
        Assert.Equal(409, (await cloud.Send("POST", At, """{"tags":[{"name":"b"}]}""", "admin", ("X-Openstack-Append", "True"))).Status);
        Assert.Equal(201, (await cloud.Send("POST", At + "/d")).Status);
        Assert.Equal(200, (await cloud.Send("PUT", At + "/d", new { name = "e" })).Status);
        Assert.Equal("b", string.Join(',', Names((await cloud.Send("GET", At + "?marker=a&limit=1", user: "demo")).Body.GetProperty("tags"))));
        Assert.True((await cloud.Send("GET", At + "/e", user: "demo")).Body.TryGetProperty("created_at", out _));
    }

    [Theory]
    [InlineData("", """{"namespace":"x","visibility":"shared"}""", 400)]
    [InlineData("", """{"visibility":"public"}""", 400)]
    [InlineData("", """{"namespace":"a/b"}""", 400)]
    [InlineData("", """{"namespace":"x","self":"/y"}""", 403)]
    [InlineData("", """{"namespace":"x","unknown":1}""", 400)]
    [InlineData("", """{"namespace":"x","objects":[null]}""", 400)]
    [InlineData("", """{"namespace":"x","objects":[{"description":"no name"}]}""", 400)]
    [InlineData("", """{"namespace":"x","objects":[{"name":"o","properties":{"p":null}}]}""", 400)]
    [InlineData("", """{"namespace":"x","objects":[{"name":"o","properties":{"p":{"title":"P","type":"text"}}}]}""", 400)]
    [InlineData("", """{"namespace":"x","properties":{"p":{"title":"P"}}}""", 400)]
    [InlineData("", """{"namespace":"x","tags":[{"name":"t"},{"name":"t"}]}""", 409)]
    [InlineData("/OS::Disks/properties", """{"title":"P","type":"string"}""", 400)]
    [InlineData("/OS::Disks/properties", """{"name":"p","title":"P","type":"string","minItems":-1}""", 400)]
    [InlineData("/OS::Disks/properties", """{"name":"p","title":"P","type":"array","items":{"type":"text"}}""", 400)]
    [InlineData("/OS::Disks/objects", """{"name":"o","created_at":"2030-01-01T00:00:00Z"}""", 403)]
    [InlineData("/OS::Disks/objects", """{"name":"o","required":"p"}""", 400)]
    [InlineData("/OS::Disks/tags", """{"tags":[null]}""", 400)]
    [InlineData("/OS::Disks/tags", """{"tags":null}""", 400)]
    [InlineData("/OS::Disks/resource_types", """{"name":"OS::Glance::Image"}""", 409)]
    public async Task What_makes_no_sense_is_refused(string tail, string body, int status)
    {
        await using var cloud = await With();
        Assert.Equal(status, (await cloud.Send("POST", Root + tail, body)).Status);
        Assert.Empty(cloud.Errors);
    }

    [Fact]
    public async Task A_namespace_has_an_end()
    {
        await using var cloud = await With();
        var text = new string('x', 100_000);
        Assert.Equal(201, (await cloud.Send("POST", Root + "/OS::Disks/objects", new { name = "a", description = text })).Status);
        Assert.Equal(201, (await cloud.Send("POST", Root + "/OS::Disks/objects", new { name = "b", description = text })).Status);
        Assert.Equal(413, (await cloud.Send("POST", Root + "/OS::Disks/objects", new { name = "c", description = text })).Status);
    }

    [Theory]
    [InlineData("image", "image", "size")]
    [InlineData("images", "images", "images")]
    [InlineData("member", "member", "member_id")]
    [InlineData("metadefs/namespace", "namespace", "display_name")]
    [InlineData("metadefs/namespaces", "namespaces", "namespaces")]
    [InlineData("metadefs/object", "object", "required")]
    [InlineData("metadefs/property", "property", "uniqueItems")]
    [InlineData("metadefs/properties", "properties", "properties")]
    [InlineData("metadefs/tag", "tag", "name")]
    [InlineData("metadefs/resource_types", "resource_type_associations", "resource_type_associations")]
    public async Task Schemas_say_what_there_is(string path, string name, string member)
    {
        await using var cloud = await TestCloud.Start();
        var schema = (await cloud.Send("GET", "/image/v2/schemas/" + path, user: "demo")).Body;
        Assert.Equal(name, schema.GetProperty("name").GetString());
        Assert.True(schema.GetProperty("properties").TryGetProperty(member, out _));
        Assert.DoesNotContain("$ref", schema.GetRawText(), StringComparison.Ordinal);
    }
}
