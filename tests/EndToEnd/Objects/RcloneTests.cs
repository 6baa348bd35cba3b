using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>Debian's rclone, by both of the APIs.</summary>
public sealed class RcloneTests
{
    private const string Program = "/usr/bin/rclone";

    [Theory]
    [InlineData("swift")]
    [InlineData("s3")]
    public async Task A_tree_whose_copying_was_killed_is_whole_after_the_next(string api)
    {
        Assert.SkipUnless(File.Exists(Program), "needs Debian's rclone");
        await using var cloud = await CloudStand.Start();
        var (access, secret) = await cloud.Ec2Key();
        foreach (var (name, value) in new[]
        {
            ("SWIFT_TYPE", "swift"), ("SWIFT_ENV_AUTH", "true"), ("SWIFT_CHUNK_SIZE", "1Mi"), ("S3_TYPE", "s3"), ("S3_PROVIDER", "Other"), ("S3_ENDPOINT", cloud.Address + "s3"),
            ("S3_ACCESS_KEY_ID", access), ("S3_SECRET_ACCESS_KEY", secret), ("S3_REGION", "RegionOne"), ("S3_UPLOAD_CUTOFF", "5Mi"), ("S3_CHUNK_SIZE", "5Mi"),
        }) cloud.Environment["RCLONE_CONFIG_" + name] = value;
        cloud.Environment["RCLONE_CONFIG"] = Path.Combine(cloud.Data, "none");
        cloud.Environment["AWS_CA_BUNDLE"] = ""; // this rclone refuses to start with one
        for (var n = 0; n < 40; n++) cloud.File($"tree/{n % 4}/ä {n}", 50_000 + n);
        cloud.File("tree/big", 11_000_000);

        using (var killed = cloud.Begin(Program, ["sync", "-v", "--bwlimit", "4M", "tree", $"{api}:bucket/tree"]))
        {
            while (await killed.StandardError.ReadLineAsync() is { } line && !line.Contains("Copied", StringComparison.Ordinal)) { }
            Assert.False(killed.HasExited);
            killed.Kill();
            await killed.WaitForExitAsync();
        }
        await cloud.Do(Program, $"sync tree {api}:bucket/tree");
        await cloud.Do(Program, $"check --download tree {api}:bucket/tree");
        using var http = new HttpClient();
        if (api == "s3") Assert.Equal(11_000_000, (await http.GetByteArrayAsync(new Uri((await cloud.Do(Program, "link --expire 60s s3:bucket/tree/big")).Trim()))).Length);
        File.Delete(Path.Combine(cloud.Data, "tree", "big"));
        await cloud.Do(Program, $"sync tree {api}:bucket/tree");
        Assert.Equal(40, (await cloud.Do(Program, $"lsf -R --files-only {api}:bucket")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await cloud.Do(Program, $"purge {api}:bucket/tree");
        Assert.Equal("", await cloud.Do(Program, $"lsf {api}:bucket"));
    }
}
