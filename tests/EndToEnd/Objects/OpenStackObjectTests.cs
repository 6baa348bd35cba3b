using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>Every command that Debian's openstack has for objects.</summary>
public sealed class OpenStackObjectTests
{
    private const string Program = "/usr/bin/openstack";

    [Fact]
    public async Task Accounts_containers_and_objects()
    {
        Assert.SkipUnless(File.Exists(Program), "needs Debian's python3-openstackclient");
        await using var cloud = await CloudStand.Start();
        async Task<JsonElement> Show(string command) => JsonDocument.Parse(await cloud.Do(Program, command + " -f json")).RootElement;
        string Names(JsonElement list) => string.Join(' ', list.EnumerateArray().Select(e => e.GetProperty("Name").GetString()));

        await cloud.Do(Program, "object store account set --property a=1 --property b=2");
        await cloud.Do(Program, "object store account unset --property a");
        Assert.Equal("2", (await Show("object store account show")).GetProperty("properties").GetProperty("B").GetString());

        Assert.Equal(2, (await Show("container create --public c1 c2")).GetArrayLength());
        await cloud.Do(Program, "container set --property x=y --property z=w c1");
        await cloud.Do(Program, "container unset --property z c1");
        var container = await Show("container show c1");
        Assert.Equal(("y", ".r:*,.rlistings"), (container.GetProperty("properties").GetProperty("X").GetString(), container.GetProperty("read_acl").GetString()));

        var file = cloud.File("a file", 100_000);
        var made = await cloud.Run(Program, ["object", "create", "--name", "dir/o", "c1", "a file", "-f", "json"]);
        Assert.True(made.Exit == 0, made.Error);
        await cloud.Do(Program, "object set --property k=v c1 dir/o");
        var shown = await Show("object show c1 dir/o");
        Assert.Equal(("100000", "v"), (shown.GetProperty("content-length").GetString(), shown.GetProperty("properties").GetProperty("K").GetString()));
        await cloud.Do(Program, "object unset --property k c1 dir/o");
        Assert.False((await Show("object show c1 dir/o")).TryGetProperty("properties", out _));
        Assert.Equal("dir/o", Names(await Show("object list c1 --prefix dir/ --long")));
        Assert.Equal("c2", Names(await Show("container list --marker c1 --all")));

        await cloud.Do(Program, "object save --file back c1 dir/o");
        Assert.Equal(await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(Path.Combine(cloud.Data, "back")));
        await cloud.Do(Program, "container save c1");
        Assert.Equal(100_000, new FileInfo(Path.Combine(cloud.Data, "dir", "o")).Length);
        Assert.Contains("409", (await cloud.Run(Program, ["container", "delete", "c1"])).Error, StringComparison.Ordinal);
        await cloud.Do(Program, "object delete c1 dir/o");
        await cloud.Do(Program, "container delete --recursive c1 c2");
        Assert.Equal("0", (await Show("object store account show")).GetProperty("Containers").GetRawText().Trim('"'));
    }
}
