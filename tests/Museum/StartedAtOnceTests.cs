using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// Two instances of a function app that started at the same time on an empty account both made what must always exist; the second to write ended with a conflict, and
/// a first request with 502. Found by a pool of instances on Azurite.
/// </summary>
public sealed class StartedAtOnceTests
{
    /// <summary>Both looked for a name before either took it: the second kept its own id, and there were two projects called admin. Found by kills of a function app.</summary>
    [Theory, InlineData("claims.domain"), InlineData("claims.role"), InlineData("claims.project"), InlineData("claims.user")]
    public Task Who_looks_for_a_name_at_the_same_time_takes_the_id_that_the_first_gave_it(string where) => Both((partition, _) => partition == where, where);

    [Theory, InlineData("region|"), InlineData("service|"), InlineData("endpoint|"), InlineData("role|"), InlineData("project|"), InlineData("user|"), InlineData("flavor|"), InlineData("volume_type|")]
    public Task Who_comes_second_goes_on_with_what_the_first_made(string where) => Both((_, ops) => ops.Any(o => o is Op.Insert && o.Key.StartsWith(where, StringComparison.Ordinal)), where);

    private static async Task Both(Func<string, IReadOnlyList<Op>, bool> at, string where)
    {
        await using var empty = TestCloud.Empty();
        var met = false;
        await using var cloud = empty.Copy(wrap: store => new MutantStore(store, async (inner, partition, ops, messages) =>
        {
            if (!met && at(partition, ops))
            {
                met = true;
                await using var other = empty.Copy(wrap: _ => store);
                await Composition.Start(other.Services);
            }
            await inner.Commit(partition, ops, messages);
        }));
        await Composition.Start(cloud.Services);
        await cloud.Drain();
        Assert.True(met, $"nothing like {where} is made");
        Assert.NotEmpty(await cloud.Token("admin"));
        Assert.Empty((await World.Check(cloud)).Problems);
    }
}
