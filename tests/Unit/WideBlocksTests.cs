using Cloud.Platform.Hosting;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>Two connections must never have the same bytes.</summary>
public sealed class WideBlocksTests
{
    [Fact]
    public void A_block_is_lent_to_one_at_a_time_even_when_it_is_given_back_twice()
    {
        var pool = new WideBlocks().Create();
        var first = pool.Rent();
        Assert.Equal(WideBlocks.Block, first.Memory.Length);
        var bytes = first.Memory;
        first.Dispose();
        first.Dispose();
        var (second, third) = (pool.Rent(WideBlocks.Block), pool.Rent());
        Assert.True(second.Memory.Equals(bytes)); // the one that was given back
        Assert.False(third.Memory.Equals(bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(WideBlocks.Block + 1));
    }

    [Fact]
    public void No_more_is_kept_than_is_of_use()
    {
        var pool = new WideBlocks().Create();
        var many = Enumerable.Range(0, 100).Select(_ => pool.Rent()).ToList();
        foreach (var block in many) block.Dispose();
        var again = Enumerable.Range(0, 100).Select(_ => pool.Rent()).ToList();
        Assert.InRange(again.Count(many.Contains), 1, 64);
    }
}
