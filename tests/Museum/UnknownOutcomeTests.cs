using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A store that wrote but said that it doesn't know: what the row needs was taken back, so that a port's address could be given to another one,
/// and an image lost its bytes. Found by simulation.
/// </summary>
public sealed class UnknownOutcomeTests
{
    /// <summary>Writes the first row of this kind and says that nobody knows.</summary>
    private static async Task<Stage> Begun(string prefix, Type op)
    {
        var s = new Stage(await TestCloud.Start(), []);
        await s.Project();
        await s.Net();
        await s.Make("image", "/image/v2/images", "", new { name = "tiny", disk_format = "raw", container_format = "bare" });
        var once = true;
        return s.Copy(wrap: store => new MutantStore(store, async (inner, partition, ops, messages) =>
        {
            await inner.Commit(partition, ops, messages);
            if (!once || !ops.Any(o => o.GetType() == op && o.Key.StartsWith(prefix, StringComparison.Ordinal))) return;
            once = false;
            throw new StoreUnavailableException("nobody knows");
        }));
    }

    [Fact]
    public async Task A_port_keeps_its_address()
    {
        var s = await Begun("port|", typeof(Op.Insert));
        await using var cloud = s.Cloud;
        Assert.Equal(503, (await s.Send("POST", "/network/v2.0/ports", new { port = new { network_id = s["net"] } })).Status);
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(60));
        Assert.Single((await s.Show("/network/v2.0/ports", "ports")).EnumerateArray());
        Assert.DoesNotContain((await World.Check(cloud)).Problems, p => p.What == Wrong.Claim);
    }

    [Fact]
    public async Task An_image_keeps_its_bytes()
    {
        var s = await Begun("image|", typeof(Op.Replace));
        await using var cloud = s.Cloud;
        Assert.Equal(503, (await cloud.Send("PUT", $"/image/v2/images/{s["image"]}/file", "bytes", headers: ("Content-Type", "application/octet-stream"))).Status);
        var shown = await s.Send("GET", $"/image/v2/images/{s["image"]}");
        Assert.Equal("active", shown.Body.GetProperty("status").GetString());
        Assert.Equal("bytes", (await s.Send("GET", $"/image/v2/images/{s["image"]}/file")).Text);
    }
}
