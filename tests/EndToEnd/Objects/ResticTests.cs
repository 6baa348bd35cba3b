using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Objects;

/// <summary>Debian's restic keeps a backup in a container.</summary>
public sealed class ResticTests
{
    private const string Program = "/usr/bin/restic";

    /// <summary>Beside objects there is nothing but what tells who asks.</summary>
    [Fact]
    public async Task A_backup_is_made_checked_restored_and_pruned()
    {
        Assert.SkipUnless(File.Exists(Program), "needs Debian's restic");
        await using var cloud = await CloudStand.Start("none", "--services", "identity,object-store");
        foreach (var (name, value) in new[] { ("RESTIC_REPOSITORY", "swift:backups:/host"), ("RESTIC_PASSWORD", "secret"), ("RESTIC_CACHE_DIR", Path.Combine(cloud.Data, "cache")) }) cloud.Environment[name] = value;
        for (var n = 0; n < 20; n++) cloud.File($"tree/{n}", 300_000 + n);
        var big = cloud.File("tree/big", 9_000_000);

        await cloud.Do(Program, "init");
        await cloud.Do(Program, "backup tree");
        File.Delete(big);
        await cloud.Do(Program, "backup tree");
        await cloud.Do(Program, "check --read-data");
        await cloud.Do(Program, "forget --keep-last 1 --prune");
        await cloud.Do(Program, "check --read-data");
        await cloud.Do(Program, "restore latest --target back");
        Assert.Equal(0, (await cloud.Run("/usr/bin/diff", ["-r", "tree", "back/tree"])).Exit);
    }
}
