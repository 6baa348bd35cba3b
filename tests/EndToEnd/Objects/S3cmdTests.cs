using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>Debian's s3cmd, which looks for S3 at a server's root.</summary>
public sealed class S3cmdTests
{
    private const string Program = "/usr/bin/s3cmd";

    [Fact]
    public async Task Buckets_parts_copies_and_access()
    {
        Assert.SkipUnless(File.Exists(Program), "needs Debian's s3cmd");
        await using var cloud = await CloudStand.Start();
        var (access, secret) = await cloud.Ec2Key();
        var at = cloud.Address.Authority;
        await File.WriteAllTextAsync(Path.Combine(cloud.Data, "s3cfg"), $"[default]\naccess_key = {access}\nsecret_key = {secret}\nhost_base = {at}\nhost_bucket = {at}\nuse_https = False\nbucket_location = RegionOne\nmultipart_chunk_size_mb = 5\n");
        Task<string> Do(string command) => cloud.Do(Program, "-c s3cfg --no-progress " + command);
        var big = cloud.File("big", 12_000_000);
        cloud.File("tree/a", 1000);
        cloud.File("tree/b", 2000);

        await Do("mb s3://bucket");
        await Do("put big s3://bucket/big --add-header=x-amz-meta-k:v");
        await Do("get s3://bucket/big back");
        Assert.Equal(await File.ReadAllBytesAsync(big), await File.ReadAllBytesAsync(Path.Combine(cloud.Data, "back")));
        await Do("sync tree/ s3://bucket/tree/");
        await Do("cp s3://bucket/big s3://bucket/copy");
        await Do("mv s3://bucket/copy s3://bucket/moved");
        Assert.Equal(["s3://bucket/big", "s3://bucket/moved", "s3://bucket/tree/a", "s3://bucket/tree/b"], (await Do("ls -r s3://bucket")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[^1]));
        Assert.Contains("12000000", await Do("info s3://bucket/big"), StringComparison.Ordinal);
        await Do("setacl --acl-public s3://bucket");
        Assert.Contains("*anon*: READ", await Do("info s3://bucket"), StringComparison.Ordinal);
        await Do("del -r --force s3://bucket");
        await Do("rb s3://bucket");
        Assert.Equal("", await Do("ls"));
    }
}
