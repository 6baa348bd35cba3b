using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>Debian's swift command.</summary>
public sealed class SwiftClientTests
{
    private const string Program = "/usr/bin/swift";

    [Fact]
    public async Task Segments_temporary_addresses_copies_and_bulk_deletes()
    {
        Assert.SkipUnless(File.Exists(Program), "needs Debian's python3-swiftclient");
        await using var cloud = await CloudStand.Start();
        var bytes = await File.ReadAllBytesAsync(cloud.File("big", 5_000_000));
        foreach (var (container, kind) in new[] { ("static", "--use-slo"), ("dynamic", "--leave-segments") })
        {
            await cloud.Do(Program, $"upload {container} big -S 1000000 {kind}");
            Assert.Equal(5, (await cloud.Do(Program, $"list {container}_segments")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            await cloud.Do(Program, $"download {container} big -o back");
            Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(cloud.Data, "back")));
        }
        Assert.Contains("Manifest: dynamic_segments/", await cloud.Do(Program, "stat dynamic big"), StringComparison.Ordinal);

        await cloud.Do(Program, "post -m Temp-URL-Key:secret");
        await cloud.Do(Program, "post static big -H X-Object-Meta-K:v");
        Assert.Contains("Meta K: v", await cloud.Do(Program, "stat static big"), StringComparison.Ordinal);
        var account = (await cloud.Do(Program, "stat")).Split('\n').Single(l => l.Trim().StartsWith("Account:", StringComparison.Ordinal)).Split(':')[1].Trim();
        var signed = (await cloud.Do(Program, $"tempurl GET 60 /v1/{account}/static/big secret")).Trim();
        using var http = new HttpClient();
        Assert.Equal(bytes, await http.GetByteArrayAsync(new Uri(cloud.Address, "/object-store" + signed)));

        await cloud.Do(Program, "copy -d /copies/small static big");
        Assert.Contains("small", await cloud.Do(Program, "list copies"), StringComparison.Ordinal);
        Assert.Contains("slo", await cloud.Do(Program, "capabilities"), StringComparison.Ordinal);
        await cloud.Do(Program, "delete static big");
        Assert.Equal("", await cloud.Do(Program, "list static_segments"));
        await cloud.Do(Program, "delete --all");
        Assert.Contains("Containers: 0", await cloud.Do(Program, "stat"), StringComparison.Ordinal);
    }
}
