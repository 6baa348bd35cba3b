using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Images;

/// <summary>Every command that Debian's openstack has for images, and what its glance has besides.</summary>
public sealed class ImageClientTests
{
    private const string OpenStack = "/usr/bin/openstack", Glance = "/usr/bin/glance";

    [Fact]
    public async Task The_openstack_command()
    {
        Assert.SkipUnless(File.Exists(OpenStack), "needs Debian's python3-openstackclient");
        await using var cloud = await CloudStand.Start();
        async Task<JsonElement> Show(string command) => JsonDocument.Parse(await cloud.Do(OpenStack, command + " -f json")).RootElement;
        async Task<string> Names(string filters) => string.Join(' ', (await Show($"image list --sort name:asc {filters}".TrimEnd())).EnumerateArray().Select(e => e.GetProperty("Name").GetString()));

        var file = cloud.File("image.raw", 300_000);
        var made = await Show($"image create --file {file} --disk-format raw --container-format bare --min-disk 1 --min-ram 64 --property os_distro=none --tag t --shared i1");
        Assert.Equal("i1", made.GetProperty("name").GetString());
        await cloud.Do(OpenStack, $"image create --import --file {file} --disk-format raw --container-format bare --private --tag t i2");
        for (var tries = 0; tries < 60 && (await Show("image show i2")).GetProperty("status").GetString() != "active"; tries++) { /* each look takes a second */ }
        await cloud.Do(OpenStack, "image set --name i3 --property a=b --property c=d --tag u --min-disk 2 --os-version 1 --protected --hidden i1");
        await cloud.Do(OpenStack, "image unset --property c --tag t i3");
        var shown = await Show("image show i3");
        var properties = shown.GetProperty("properties");
        Assert.Equal(("active", 300_000, 2, true, true), (shown.GetProperty("status").GetString(), shown.GetProperty("size").GetInt32(), shown.GetProperty("min_disk").GetInt32(), shown.GetProperty("protected").GetBoolean(), properties.GetProperty("os_hidden").GetBoolean()));
        Assert.Equal(("b", "1", false), (properties.GetProperty("a").GetString(), properties.GetProperty("os_version").GetString(), properties.TryGetProperty("c", out _)));
        Assert.Equal(["u"], shown.GetProperty("tags").EnumerateArray().Select(t => t.GetString()!));

        Assert.Equal(("i2", "i3", "i3"), (await Names(""), await Names("--hidden"), await Names("--hidden --property a=b --long")));
        Assert.Equal(("i2", ""), (await Names("--tag t --status active --private --limit 5"), await Names("--community")));
        Assert.Contains("protected", (await cloud.Run(OpenStack, ["image", "delete", "i3"])).Error, StringComparison.OrdinalIgnoreCase);

        Assert.Equal("pending", (await Show("image add project i3 demo")).GetProperty("status").GetString());
        Assert.Equal(1, (await Show("image member list i3")).GetArrayLength());
        await cloud.Do(OpenStack, "image remove project i3 demo");
        Assert.Equal(0, (await Show("image member list i3")).GetArrayLength());

        await cloud.Do(OpenStack, "image save --file back.raw i3");
        Assert.Equal(await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(Path.Combine(cloud.Data, "back.raw")));
        await cloud.Do(OpenStack, "image set --unhidden --unprotected --deactivate i3");
        Assert.Equal("deactivated", (await Show("image show i3")).GetProperty("status").GetString());
        await cloud.Do(OpenStack, "image set --activate i3");
        await cloud.Do(OpenStack, "image delete i2 i3");
        Assert.Equal("", await Names(""));
    }

    [Fact]
    public async Task The_glance_command()
    {
        Assert.SkipUnless(File.Exists(Glance), "needs Debian's python3-glanceclient");
        var settings = Path.GetTempFileName();
        await File.WriteAllTextAsync(settings, """{"image_stores": {"shelf": {"kind": "objects", "description": "three copies"}}}""");
        await using var cloud = await CloudStand.Start("none", "--settings", settings);
        File.Delete(settings); // it was read
        Task<string> Do(string command) => cloud.Do(Glance, command);
        // Without standard input: whatever that is, the client takes it for the image's data.
        async Task Make(string command) => Assert.Equal((0, ""), await cloud.Run("/bin/sh", ["-c", $"exec {Glance} {command} --disk-format raw --container-format bare <&-"]) is var ended ? (ended.Exit, ended.Error) : default);
        async Task Shows(string id, params string[] words)
        {
            var text = "";
            for (var tries = 0; tries < 60 && !Array.TrueForAll(words, w => text.Contains(w, StringComparison.Ordinal)); tries++) text = await Do("image-show " + id);
            Assert.All(words, w => Assert.Contains(w, text, StringComparison.Ordinal));
        }

        var (id, via) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
        cloud.File("image.raw", 100_000);
        Assert.Contains("copy-image", await Do("import-info"), StringComparison.Ordinal);
        Assert.Contains("shelf", await Do("stores-info"), StringComparison.Ordinal);
        Assert.Contains("swift", await Do("stores-info --detail"), StringComparison.Ordinal);
        await Make($"image-create --id {id} --name i");
        await Do($"image-stage --file image.raw {id}");
        await Do($"image-import --import-method glance-direct --stores file {id}");
        await Shows(id, "active", " file ");
        await Do($"image-import --import-method copy-image --stores shelf {id}");
        await Shows(id, "file,shelf");
        Assert.Contains("success", await Do("image-tasks " + id), StringComparison.Ordinal);
        Assert.Contains("api_image_import", await Do("task-list"), StringComparison.Ordinal);
        await Do($"stores-delete --store file {id}");
        await Do($"image-download --file back.raw {id}");
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(cloud.Data, "image.raw")), await File.ReadAllBytesAsync(Path.Combine(cloud.Data, "back.raw")));
        await Make($"image-create-via-import --id {via} --name v --file image.raw --import-method glance-direct --all-stores True");
        await Shows(via, "active", "file,shelf");
        await Do($"image-tag-update {via} t");
        await Do($"image-deactivate {via}");
        await Do($"image-reactivate {via}");
        Assert.Contains("image_size_total", await Do("usage"), StringComparison.Ordinal);
        Assert.Contains("does not support image caching", (await cloud.Run(Glance, ["cache-list"])).Error, StringComparison.OrdinalIgnoreCase);

        await Do("md-namespace-create Cs::Test");
        await Do("md-property-create --name p --title P --schema {\"type\":\"string\"} Cs::Test");
        await Do("md-object-create --name o --schema {} Cs::Test");
        await Do("md-tag-create-multiple --names a;b --delim ; Cs::Test");
        await Do("md-resource-type-associate --name OS::Glance::Image Cs::Test");
        Assert.Contains("OS::Glance::Image", await Do("md-namespace-resource-type-list Cs::Test"), StringComparison.Ordinal);
        await Do("md-namespace-delete Cs::Test");
        await Do($"image-delete {id} {via}");
        Assert.DoesNotContain(id, await Do("image-list"), StringComparison.Ordinal);
    }
}
