using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>Who ended the sharing of a network took the pointer away from the one who shared it anew meanwhile: others neither listed nor found it. Found by reading.</summary>
public sealed class SharedAgainTests
{
    [Fact]
    public async Task What_is_shared_again_at_once_is_found()
    {
        await using var cloud = await TestCloud.Start();
        var id = (await cloud.Send("POST", "/network/v2.0/networks", new { network = new { shared = true } })).Id("network");
        await cloud.Drain();
        Task<Answer> Share(TestCloud at, bool shared) => at.Send("PUT", "/network/v2.0/networks/" + id, new { network = new { shared } });
        Answer? other = null;
        var once = true;
        TestCloud? copy = null;
        copy = cloud.Copy(wrap: store => new MutantStore(store, async (inner, partition, ops, messages) =>
        {
            if (once && partition == "shared.network" && ops[0] is Op.Delete)
            {
                once = false;
                other = await Share(copy!, true);
            }
            await inner.Commit(partition, ops, messages);
        }));
        await using var _ = copy;

        Assert.Equal(200, (await Share(copy, false)).Status);
        Assert.Equal(200, other!.Status);
        Assert.Equal(200, (await copy.Send("GET", "/network/v2.0/networks/" + id, user: "demo")).Status);
    }
}
