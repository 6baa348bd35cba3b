using Cloud.Platform.State;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Unit;

public sealed class RememberedTests
{
    [Fact]
    public async Task It_is_read_again_when_its_time_is_over_or_it_was_to_be_forgotten()
    {
        var (clock, reads) = (new FakeTimeProvider(), 0);
        var remembered = new Remembered<int>(clock, TimeSpan.FromSeconds(5), () => ValueTask.FromResult(++reads));
        Assert.Equal(1, await remembered.Get());
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(1, await remembered.Get());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, await remembered.Get());
        remembered.Forget();
        Assert.Equal(3, await remembered.Get());
    }

    [Fact]
    public async Task What_was_read_before_a_change_is_not_remembered_after_it()
    {
        var (reading, value) = (new TaskCompletionSource(), "old");
        var remembered = new Remembered<string>(new FakeTimeProvider(), TimeSpan.FromSeconds(5), async () =>
        {
            var read = value;
            await reading.Task;
            return read;
        });
        var early = remembered.Get();
        value = "new";
        remembered.Forget();
        reading.SetResult();
        Assert.Equal("old", await early);
        Assert.Equal("new", await remembered.Get());
    }
}
