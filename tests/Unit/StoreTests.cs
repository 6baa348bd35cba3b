using System.Text;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What every store must do, with the messages it promises; run on each of them.</summary>
public abstract class StoreTests : IDisposable
{
    protected FakeTimeProvider Clock { get; } = new();
    protected abstract IEntityStore Store { get; }
    protected abstract IBus Bus { get; }

    public virtual void Dispose() => GC.SuppressFinalize(this);

    private static byte[] Bytes(string s) => Encoding.UTF8.GetBytes(s);
    private static Message M(string id) => new("q", id, Bytes(id));
    private async Task<IReadOnlyList<Delivery>> Take() => await Bus.Receive("q", 10, TimeSpan.FromSeconds(30), TimeSpan.Zero);

    [Fact]
    public async Task A_group_is_all_or_nothing_with_its_messages()
    {
        await Store.Commit("p", [new Op.Insert("a", Bytes("1"))]);
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Upsert("b", Bytes("2")), new Op.Insert("a", Bytes("3"))], [M("m")]));
        Assert.Null(await Store.Get("p", "b"));
        Assert.Empty(await Take());
        await Store.Commit("p", [new Op.Upsert("b", Bytes("2"))], [M("m")]);
        Assert.Equal("m", Assert.Single(await Take()).Message.Id);
    }

    [Fact]
    public async Task An_old_etag_is_refused()
    {
        await Store.Commit("p", [new Op.Insert("a", Bytes("1"))]);
        var old = (await Store.Get("p", "a"))!;
        await Store.Commit("p", [new Op.Replace("a", Bytes("2"), old.ETag)]);
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Replace("a", Bytes("3"), old.ETag)]));
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Delete("a", old.ETag)]));
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Check("a", old.ETag)]));
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Check("a", null)]));
        await Store.Commit("p", [new Op.Check("a", (await Store.Get("p", "a"))!.ETag)]);
        Assert.Equal("2", Encoding.UTF8.GetString((await Store.Get("p", "a"))!.Body.Span));
    }

    [Fact]
    public async Task A_row_made_again_has_a_new_etag()
    {
        await Store.Commit("p", [new Op.Insert("a", Bytes("1"))]);
        var first = (await Store.Get("p", "a"))!.ETag;
        await Store.Commit("p", [new Op.Delete("a")]);
        await Store.Commit("p", [new Op.Insert("a", Bytes("1"))]);
        Assert.NotEqual(first, (await Store.Get("p", "a"))!.ETag);
    }

    [Fact]
    public async Task Lists_are_in_ordinal_order_within_bounds()
    {
        foreach (var key in (string[])["b|2", "a|9", "b|10", "B|1", "b|1", "c|1"]) await Store.Commit("p", [new Op.Insert(key, Bytes(key))]);
        await Store.Commit("other", [new Op.Insert("b|3", Bytes("x"))]);
        Assert.Equal(["b|1", "b|10", "b|2"], (await Store.List("p", "b|", "b|" + char.MaxValue)).Select(r => r.Key));
        Assert.Equal(["b|1", "b|10"], (await Store.List("p", "b|", "b|" + char.MaxValue, 2)).Select(r => r.Key));
        var scanned = new List<string>();
        await foreach (var row in Store.Scan("b|", "b|" + char.MaxValue)) scanned.Add(row.Partition + row.Key);
        Assert.Equal(["otherb|3", "pb|1", "pb|10", "pb|2"], scanned);
    }

    [Fact]
    public async Task Whole_partitions_are_found_by_the_beginning_of_their_name_however_many_rows_they_have()
    {
        for (var i = 0; i < 12; i++) await Store.Commit($"c.{i % 2}", [.. Enumerable.Range(0, 100).Select(n => new Op.Insert($"k|{i:00}{n:00}", Bytes("x")))]);
        foreach (var other in (string[])["c", "b.1", "d.0", "c,1"]) await Store.Commit(other, [new Op.Insert("k", Bytes("x"))]);
        var found = new List<(string, string)>();
        await foreach (var row in Store.Partitions("c.")) found.Add((row.Partition, row.Key));
        Assert.Equal(1200, found.Count);
        Assert.Equal(found.OrderBy(f => f.Item1, StringComparer.Ordinal).ThenBy(f => f.Item2, StringComparer.Ordinal), found);
        Assert.All(found, f => Assert.StartsWith("c.", f.Item1));
        var scanned = 0;
        await foreach (var row in Store.Scan("k|", "k|" + char.MaxValue)) scanned++;
        Assert.Equal(1200, scanned);
    }

    [Fact]
    public async Task A_group_is_at_most_a_hundred_and_names_each_key_once()
    {
        await Store.Commit("p", [.. Enumerable.Range(0, 100).Select(n => new Op.Upsert($"{n}", Bytes("x")))]);
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.Commit("p", [.. Enumerable.Range(0, 101).Select(n => new Op.Upsert($"{n}", Bytes("y")))]));
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Upsert("a", Bytes("1")), new Op.Delete("a")]));
        Assert.Equal("x", Encoding.UTF8.GetString((await Store.Get("p", "7"))!.Body.Span));
    }

    [Fact]
    public async Task What_the_caller_does_with_his_bytes_afterwards_changes_nothing()
    {
        var bytes = Bytes("1");
        await Store.Commit("p", [new Op.Insert("a", bytes)]);
        bytes[0] = (byte)'2';
        Assert.Equal("1", Encoding.UTF8.GetString((await Store.Get("p", "a"))!.Body.Span));
    }

    [Fact]
    public async Task A_row_may_grow_and_shrink_and_lists_show_it_whole()
    {
        foreach (var key in (string[])["a", "b", "c"]) await Store.Commit("p", [new Op.Insert(key, Bytes(key))]);
        foreach (var length in (int[])[1, 5000, 9000, 0, 700, 860, 2000, 40])
        {
            var was = (await Store.Get("p", "b"))!;
            await Store.Commit("p", [new Op.Replace("b", new byte[length], was.ETag), new Op.Upsert("c", new byte[length / 2])]);
            Assert.Equal([1, length, length / 2], (await Store.List("p", "", "z")).Select(r => r.Body.Length));
            Assert.Equal(length, (await Store.Get("p", "b"))!.Body.Length);
        }
        await Store.Commit("p", [new Op.Upsert("a", new byte[3000])]);
        await Store.Commit("p", [new Op.Delete("a")]);
        await Store.Commit("p", [new Op.Insert("a", Bytes("1"))]);
        Assert.Equal(1, (await Store.Get("p", "a"))!.Body.Length);
    }

    [Fact]
    public async Task Racing_writers_never_lose_an_update()
    {
        await Store.Commit("p", [new Op.Insert("n", Bytes("0"))]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 25;)
            {
                var row = (await Store.Get("p", "n"))!;
                var next = int.Parse(Encoding.UTF8.GetString(row.Body.Span), null) + 1;
                try { await Store.Commit("p", [new Op.Replace("n", Bytes($"{next}"), row.ETag)]); done++; }
                catch (ConflictException) { /* again */ }
            }
        })));
        Assert.Equal("200", Encoding.UTF8.GetString((await Store.Get("p", "n"))!.Body.Span));
    }
}

public sealed class MemoryStoreTests : StoreTests
{
    private readonly MemoryBus _bus;

    public MemoryStoreTests()
    {
        _bus = new(Clock);
        Store = new MemoryStore(_bus);
    }

    protected override IEntityStore Store { get; }
    protected override IBus Bus => _bus;
}

public sealed class SqliteStoreTests : StoreTests
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-store");
    private LocalState _state;

    public SqliteStoreTests() => _state = LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock);

    protected override IEntityStore Store => _state.Store;
    protected override IBus Bus => _state.Bus;

    [Fact]
    public async Task Everything_is_there_after_a_restart_and_locks_are_gone()
    {
        await Store.Commit("p", [new Op.Insert("a", Encoding.UTF8.GetBytes("1"))], [new Message("q", "m", Encoding.UTF8.GetBytes("x"), "s")]);
        Assert.Single(await Bus.Receive("q", 1, TimeSpan.FromHours(1), TimeSpan.Zero));
        _state.Dispose();
        _state = LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock);
        Assert.NotNull(await Store.Get("p", "a"));
        var message = Assert.Single(await Bus.Receive("q", 1, TimeSpan.FromHours(1), TimeSpan.Zero));
        Assert.Equal(("m", "s"), (message.Message.Id, message.Message.Session));
    }

    [Fact]
    public async Task A_settled_message_stays_settled_and_its_id_is_free_again()
    {
        await Bus.Send([new Message("q", "m", Encoding.UTF8.GetBytes("1")), new Message("q", "n", Encoding.UTF8.GetBytes("1"))]);
        foreach (var d in await Bus.Receive("q", 2, TimeSpan.FromHours(1), TimeSpan.Zero)) Assert.True(await Bus.Complete(d));
        // The settling comes before the next write, whoever waits for that.
        await Bus.Send([new Message("q", "m", Encoding.UTF8.GetBytes("2"))]);
        _state.Dispose();
        _state = LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock);
        var only = Assert.Single(await Bus.Receive("q", 9, TimeSpan.FromHours(1), TimeSpan.Zero));
        Assert.Equal(("m", "2"), (only.Message.Id, Encoding.UTF8.GetString(only.Message.Body.Span)));
    }

    [Fact]
    public async Task Dead_letters_delays_and_attempts_are_there_after_a_restart()
    {
        await Bus.Send([new Message("q", "bad", Encoding.UTF8.GetBytes("x"), "s"), new Message("q", "later", Encoding.UTF8.GetBytes("y"))]);
        foreach (var d in await Bus.Receive("q", 2, TimeSpan.FromMinutes(1), TimeSpan.Zero))
            if (d.Message.Id == "bad") await Bus.Reject(d, "no good");
            else await Bus.Abandon(d, TimeSpan.FromMinutes(5));
        Restart();
        Assert.Equal(("bad", "no good", 1), Assert.Single(await Bus.DeadLetters("q", 10)) is var l ? (l.Message.Id, l.Reason, l.Attempts) : default);
        Assert.Empty(await Bus.Receive("q", 10, TimeSpan.FromMinutes(1), TimeSpan.Zero));
        Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(("later", 2), Assert.Single(await Bus.Receive("q", 10, TimeSpan.FromMinutes(1), TimeSpan.Zero)) is var m ? (m.Message.Id, m.Attempt) : default);
        Assert.True(await Bus.Replay("q", "bad"));
        Restart();
        Assert.Empty(await Bus.DeadLetters("q", 10));
        Assert.Equal(["bad", "later"], (await Bus.Receive("q", 10, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Select(d => d.Message.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_row_made_again_after_a_restart_has_a_new_etag()
    {
        await Store.Commit("p", [new Op.Insert("a", Encoding.UTF8.GetBytes("1"))]);
        var first = (await Store.Get("p", "a"))!.ETag;
        await Store.Commit("p", [new Op.Delete("a")]);
        Restart();
        await Store.Commit("p", [new Op.Insert("a", Encoding.UTF8.GetBytes("1"))]);
        Assert.NotEqual(first, (await Store.Get("p", "a"))!.ETag);
    }

    [Fact]
    public async Task Nothing_of_a_large_row_stays_behind_it()
    {
        await Store.Commit("p", [new Op.Insert("a", new byte[5000]), new Op.Insert("b", new byte[5000]), new Op.Insert("c", new byte[5000])]);
        await Store.Commit("p", [new Op.Upsert("a", new byte[6000]), new Op.Upsert("b", new byte[6]), new Op.Delete("c")]);
        Assert.Equal(1, Number("SELECT count(*) FROM bodies"));
        await Store.Commit("p", [new Op.Delete("a"), new Op.Delete("b")]);
        Assert.Equal(0, Number("SELECT count(*) FROM bodies"));
    }

    [Fact]
    public async Task What_an_older_version_wrote_is_read()
    {
        _state.Dispose();
        Number("""
            DROP TABLE rows; DROP TABLE bodies;
            CREATE TABLE rows(partition TEXT NOT NULL, key TEXT NOT NULL, etag INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(partition, key));
            INSERT INTO rows VALUES('p', 'large', 7, zeroblob(5000)), ('p', 'small', 8, x'31'), ('o', 'empty', 9, zeroblob(0)), ('o', 'other', 10, zeroblob(3000));
            SELECT 1
            """);
        for (var start = 0; start < 2; start++)
        {
            _state = LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock);
            var all = await Store.Partitions("").Select(r => (r.Partition, r.Key, r.ETag, r.Body.Length)).ToListAsync(TestContext.Current.CancellationToken);
            Assert.Equal([("o", "empty", "9", 0), ("o", "other", "10", 3000), ("p", "large", "7", 5000), ("p", "small", "8", 1)], all);
            _state.Dispose();
        }
        Assert.Equal(2, Number("SELECT count(*) FROM bodies"));
        Restart();
        await Store.Commit("p", [new Op.Replace("large", new byte[1], "7"), new Op.Delete("small", "8")]);
        Assert.Equal(1, Number("SELECT count(*) FROM bodies"));
    }

    private long Number(string sql)
    {
        using var db = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(_directory.FullName, "s.db")};Pooling=False");
        db.Open();
        using var command = db.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private void Restart()
    {
        _state.Dispose();
        _state = LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock);
    }

    [Fact]
    public void A_file_has_one_owner() => Assert.Throws<StoreUnavailableException>(() => LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock));

    public override void Dispose()
    {
        _state.Dispose();
        _directory.Delete(recursive: true);
        base.Dispose();
    }
}
