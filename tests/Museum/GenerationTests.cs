using System.Text;
using Cloud.Placement;
using Cloud.Platform.State;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>A host's generation was read from its row's ETag as a number, which it is not in Azure Tables: no second server could be placed there. Found by creating two.</summary>
public sealed class GenerationTests
{
    [Fact]
    public async Task A_store_may_call_its_versions_as_it_likes()
    {
        var (one, two) = (await Facade.Used(new Tagged("W/\"datetime'2026-11-28T18%3A22%3A17.7395732Z'\""), "h"), await Facade.Used(new Tagged("W/\"datetime'2026-11-28T18%3A22%3A18Z'\""), "h"));
        Assert.True(one.Generation > 0 && two.Generation > 0);
        Assert.NotEqual(one.Generation, two.Generation);
        Assert.Equal(17, (await Facade.Used(new Tagged("17"), "h")).Generation);
    }

    private sealed class Tagged(string tag) : IEntityStore
    {
        public ValueTask<Row?> Get(string partition, string key, CancellationToken ct = default) => new(new Row(partition, key, tag, Encoding.UTF8.GetBytes("{}")));
        public ValueTask<IReadOnlyList<Row>> List(string partition, string from, string to, int limit = int.MaxValue, CancellationToken ct = default) => throw new NotSupportedException();
        public IAsyncEnumerable<Row> Scan(string from, string to, CancellationToken ct = default) => throw new NotSupportedException();
        public IAsyncEnumerable<Row> Partitions(string prefix, CancellationToken ct = default) => throw new NotSupportedException();
        public ValueTask Commit(string partition, IReadOnlyList<Op> ops, IReadOnlyList<Platform.Bus.Message>? messages = null, CancellationToken ct = default) => throw new NotSupportedException();
    }
}
