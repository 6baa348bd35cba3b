using System.Text.Json;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What a caller may not see costs what a thing costs that isn't there: the row, whose size would tell it by time, isn't read.</summary>
public sealed class UnseenTests
{
    [Theory]
    [InlineData("/image/v2/images", "", """{"visibility":"private"}""")]
    [InlineData("/network/v2.0/networks", "network", """{"network":{"shared":false}}""")]
    [InlineData("/network/v2.0/routers", "router", """{"router":{}}""")]
    public async Task Anothers_is_looked_for_like_what_never_was(string path, string envelope, string body)
    {
        await using var cloud = await TestCloud.Start();
        var made = await cloud.Send("POST", path, JsonDocument.Parse(body).RootElement);
        var id = made.Id(envelope);
        await cloud.Drain();
        var project = (envelope.Length == 0 ? made.Body.GetProperty("owner") : made.Body.GetProperty(envelope).GetProperty("project_id")).GetString();

        Assert.Contains(project, await Reads(cloud, "admin", $"{path}/{id}", 200));
        var there = await Reads(cloud, "demo", $"{path}/{id}", 404);
        Assert.DoesNotContain(project, there);
        Assert.Equal(there, await Reads(cloud, "demo", $"{path}/{id[..^1]}{(id[^1] == '0' ? '1' : '0')}", 404));
    }

    private static async Task<List<string>> Reads(TestCloud cloud, string user, string path, int status)
    {
        var partitions = new List<string>();
        await using var copy = cloud.Copy(wrap: store => new MutantStore(store, (inner, partition, ops, messages) => inner.Commit(partition, ops, messages), (partition, _) => { partitions.Add(partition); return false; }));
        Assert.Equal(status, (await copy.Send("GET", path, user: user)).Status);
        return partitions;
    }
}
