using System.Text;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;
using Cloud.Platform.Tables;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Azure;

/// <summary>One emulator for all of a class.</summary>
public sealed class AzuriteTables : IAsyncLifetime
{
    public Azurite? Azurite { get; private set; }

    public async ValueTask InitializeAsync() => Azurite = await Azurite.Start("table");

    public ValueTask DisposeAsync() => Azurite?.DisposeAsync() ?? default;
}

/// <summary>With the emulator as a process of the test.</summary>
public sealed class TableStoreTests(AzuriteTables azurite) : AzureTableTests(azurite.Azurite?.Connection, Azurite.Missing), IClassFixture<AzuriteTables>
{
    [Fact]
    public async Task Without_the_service_a_write_is_unknown_and_not_a_conflict()
    {
        await using var azurite = await Azurite.Start("table");
        var store = Open(azurite!.Connection, "gone");
        await store.Commit("p", [new Op.Insert("a", B("1"))]);
        await azurite.Kill();
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.Commit("p", [new Op.Insert("b", B("1"))]));
    }
}

/// <summary>What every store must do, in a table of Azurite; and what only a table has to think of.</summary>
public abstract class AzureTableTests : StoreTests
{
    private readonly MemoryBus _bus;
    private readonly TableStore _store;

    /// <param name="missing">Why there is no service, when there is none.</param>
    protected AzureTableTests(string? connection, string missing)
    {
        Assert.SkipWhen(connection is null, missing);
        _bus = new(Clock);
        Clock.SetUtcNow(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        _store = Open(connection!, "t" + Guid.NewGuid().ToString("N"));
    }

    protected TableStore Open(string connection, string table) => new(new(connection, table, TimeProvider.System), _bus, Clock, new TimeOrderedIds(Clock));

    protected override IEntityStore Store => _store;
    protected override IBus Bus => _bus;

    protected static byte[] B(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<List<string>> Everything()
    {
        var keys = new List<string>();
        await foreach (var row in Store.Scan("", char.MaxValue.ToString())) keys.Add(row.Key);
        return keys;
    }

    [Fact]
    public async Task A_promise_is_kept_by_somebody_else_when_the_process_dies_between_write_and_sending()
    {
        var sends = 0;
        _bus.OnSend = after => { if (!after && ++sends == 2) throw new StoreUnavailableException("died"); };
        await Store.Commit("p", [new Op.Insert("a", B("1"))], [new Message("q", "m", B("x"), "s")]);
        _bus.OnSend = null;
        Assert.Equal(["a"], await Everything());
        Assert.Empty(await Bus.Receive("q", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero));

        Clock.Advance(TimeSpan.FromMinutes(3));
        var announced = Assert.Single(await Bus.Receive(Outbox.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero));
        await _store.Outbox.Drain(announced, default);
        var message = Assert.Single(await Bus.Receive("q", 9, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Message;
        Assert.Equal(("m", "s", "x"), (message.Id, message.Session, Encoding.UTF8.GetString(message.Body.Span)));
        foreach (var d in await Bus.Receive("q", 9, TimeSpan.FromMinutes(1), TimeSpan.Zero)) await Bus.Complete(d);
        await _store.Outbox.Drain(announced, default);
        Assert.Single(_bus.All, m => m.Queue == "q"); // the first is locked, and no second came
    }

    [Fact]
    public async Task What_another_is_about_to_send_is_left_to_it()
    {
        _bus.OnSend = after => { if (!after && _bus.All.Count == 1) throw new StoreUnavailableException("slow"); };
        await Store.Commit("p", [new Op.Insert("a", B("1"))], [new Message("q", "m", B("x"))]);
        _bus.OnSend = null;
        await _store.Outbox.Drain(new(new(Outbox.Queue, "x", B("p")), 1, "", default), default);
        Assert.Empty(await Bus.Receive("q", 9, TimeSpan.FromMinutes(1), TimeSpan.Zero));
    }

    [Fact]
    public async Task One_announcement_serves_many_writes_and_a_later_one_gets_its_own()
    {
        for (var i = 0; i < 5; i++) await Store.Commit("p", [new Op.Insert($"{i}", B("1"))], [new Message("q", $"{i}", B("x"))]);
        Assert.Single(_bus.All, m => m.Queue == Outbox.Queue);
        Clock.Advance(TimeSpan.FromSeconds(90));
        await Store.Commit("p", [new Op.Insert("late", B("1"))], [new Message("q", "late", B("x"))]);
        Assert.Equal(2, _bus.All.Count(m => m.Queue == Outbox.Queue));
        Assert.Equal(6, _bus.All.Count(m => m.Queue == "q"));
    }

    [Fact]
    public async Task Absence_can_be_insisted_on()
    {
        await Store.Commit("p", [new Op.Check("a", null), new Op.Upsert("b", B("1"))]);
        await Store.Commit("p", [new Op.Check("a", null), new Op.Upsert("b", B("2"))]);
        Assert.Null(await Store.Get("p", "a"));
        Assert.Equal(["b"], await Everything());
        await Store.Commit("p", [new Op.Insert("a", B("3"))]);
        await Assert.ThrowsAsync<ConflictException>(async () => await Store.Commit("p", [new Op.Upsert("b", B("4")), new Op.Check("a", null)]));
        Assert.Equal("2", Encoding.UTF8.GetString((await Store.Get("p", "b"))!.Body.Span));
        await Store.Commit("p", [new Op.Delete("a"), new Op.Delete("never there"), new Op.Upsert("b", B("5"))]);
        await Store.Commit("p", [new Op.Check("a", null), new Op.Check("c", null), new Op.Delete("never there"), new Op.Insert("d", B("6"))]);
        Assert.Equal(["b", "d"], await Everything());
    }

    [Fact]
    public async Task Of_two_who_insist_on_absence_and_of_two_who_insert_one_wins()
    {
        await Store.Commit("p", [new Op.Check("a", null)]);
        var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try { await Store.Commit("p", [new Op.Insert("a", B($"{i}"))]); return 1; }
            catch (ConflictException) { return 0; }
        }));
        Assert.Equal(1, won.Sum());
    }

    [Fact]
    public async Task Keys_of_all_kinds_keep_their_order()
    {
        string[] keys = ["", "\u0001", " ", " a", "!", "!!", "'", "a b", "a'b", "b|1", "b|~9", "~", "~~", "\u0085", "é", "日本"];
        await Store.Commit("o'p q", [.. keys.Select(k => new Op.Insert(k, B(k)))]);
        Assert.Equal(keys, (await Store.List("o'p q", "", char.MaxValue.ToString())).Select(r => Encoding.UTF8.GetString(r.Body.Span)));
        Assert.Equal(keys, await Everything());
        Assert.Equal(["b|1", "b|~9"], (await Store.List("o'p q", "b|", "b|" + char.MaxValue)).Select(r => r.Key));
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(64 * 1024), InlineData(64 * 1024 + 1), InlineData(700_000)]
    public async Task Bodies_of_any_size_come_back(int size)
    {
        var body = new byte[size];
        new Random(size).NextBytes(body);
        await Store.Commit("p", [new Op.Insert("a", body)]);
        Assert.Equal(body, (await Store.Get("p", "a"))!.Body.ToArray());
    }

    [Fact]
    public async Task A_body_too_large_for_an_entity_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(async () => await Store.Commit("p", [new Op.Insert("a", new byte[TableRow.MaxBody + 1])]));
}
