using System.Collections.Concurrent;
using System.Text;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What every bus must do, run on each of them.</summary>
public abstract class BusTests
{
    protected FakeTimeProvider Clock { get; } = new();
    protected abstract IBus Bus { get; }

    protected static byte[] Bytes(string s) => Encoding.UTF8.GetBytes(s);
    protected static Message M(string id, string? session = null, DateTimeOffset? at = null) => new("q", id, Bytes(id), session, at);
    protected async Task<IReadOnlyList<Delivery>> Take(int max = 10) => await Bus.Receive("q", max, TimeSpan.FromSeconds(30), TimeSpan.Zero);

    /// <summary>Until all are done or one failed: the others may then wait for what never comes.</summary>
    protected static async Task Together(params IEnumerable<Task> tasks)
    {
        await foreach (var done in Task.WhenEach(tasks)) await done;
    }

    [Fact]
    public async Task A_session_is_delivered_one_by_one_in_order()
    {
        await Bus.Send([M("1", "s"), M("2", "s"), M("3", "t")]);
        var first = await Take();
        Assert.Equal(["1", "3"], first.Select(d => d.Message.Id));
        Assert.Empty(await Take());
        await Bus.Abandon(first[0], TimeSpan.FromSeconds(5));
        Assert.Empty(await Take());
        Clock.Advance(TimeSpan.FromSeconds(6));
        var again = Assert.Single(await Take());
        Assert.Equal(("1", 2), (again.Message.Id, again.Attempt));
        Assert.True(await Bus.Complete(again));
        Assert.Equal("2", Assert.Single(await Take()).Message.Id);
    }

    [Fact]
    public async Task A_lock_that_ran_out_frees_the_message_and_is_worth_nothing()
    {
        await Bus.Send([M("1")]);
        var first = Assert.Single(await Take());
        Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.True(await Bus.Renew(first, TimeSpan.FromSeconds(30)));
        Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Empty(await Take());
        Clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(2, Assert.Single(await Take()).Attempt);
        Assert.False(await Bus.Complete(first));
    }

    [Fact]
    public async Task A_message_still_queued_is_not_queued_twice()
    {
        await Bus.Send([M("1"), M("1")]);
        await Bus.Send([M("1")]);
        var only = Assert.Single(await Take());
        await Bus.Complete(only);
        await Bus.Send([M("1")]);
        Assert.Single(await Take());
    }

    [Fact]
    public async Task A_delayed_message_waits_for_its_time()
    {
        await Bus.Send([M("later", at: Clock.GetUtcNow() + TimeSpan.FromMinutes(1)), M("now")]);
        var now = Assert.Single(await Take());
        Assert.Equal("now", now.Message.Id);
        await Bus.Complete(now);
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("later", Assert.Single(await Take()).Message.Id);
    }

    [Fact]
    public async Task After_ten_attempts_it_is_a_dead_letter_until_replayed()
    {
        await Bus.Send([M("bad")]);
        for (var i = 0; i < 10; i++) await Bus.Abandon(Assert.Single(await Take()), TimeSpan.Zero);
        Assert.Empty(await Take());
        Assert.Equal("bad", Assert.Single(await Bus.DeadLetters("q", 10)).Message.Id);
        Assert.True(await Bus.Replay("q", "bad"));
        Assert.False(await Bus.Replay("q", "bad"));
        Assert.Equal(1, Assert.Single(await Take()).Attempt);
    }

    [Fact]
    public async Task A_waiting_receiver_wakes_with_the_message()
    {
        var waiting = Bus.Receive("q", 1, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1)).AsTask();
        await Bus.Send([M("1")]);
        Assert.Equal("1", Assert.Single(await waiting).Message.Id);
    }

    [Fact]
    public async Task A_session_waits_for_its_first_message_however_long_that_is_delayed()
    {
        await Bus.Send([M("1", "s", Clock.GetUtcNow() + TimeSpan.FromMinutes(1)), M("2", "s"), M("3", "t")]);
        Assert.Equal("3", Assert.Single(await Take()).Message.Id);
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(["1", "3"], (await Take()).Select(d => d.Message.Id));
    }

    [Fact]
    public async Task A_session_whose_receiver_died_goes_on_with_the_same_message()
    {
        await Bus.Send([M("1", "s"), M("2", "s")]);
        var lost = Assert.Single(await Take());
        Clock.Advance(TimeSpan.FromSeconds(31));
        var again = Assert.Single(await Take());
        Assert.Equal(("1", 2), (again.Message.Id, again.Attempt));
        Assert.False(await Bus.Complete(lost));
        Assert.False(await Bus.Abandon(lost, TimeSpan.Zero));
        Assert.False(await Bus.Reject(lost, "late"));
        Assert.False(await Bus.Renew(lost, TimeSpan.FromMinutes(1)));
        Assert.Empty(await Take());
        Assert.True(await Bus.Complete(again));
        Assert.Equal("2", Assert.Single(await Take()).Message.Id);
    }

    [Fact]
    public async Task A_rejected_message_does_not_hold_up_its_session()
    {
        await Bus.Send([M("1", "s"), M("2", "s")]);
        Assert.True(await Bus.Reject(Assert.Single(await Take()), "no good"));
        Assert.Equal("2", Assert.Single(await Take()).Message.Id);
        var letter = Assert.Single(await Bus.DeadLetters("q", 10));
        Assert.Equal(("1", "no good", 1), (letter.Message.Id, letter.Reason, letter.Attempts));
        Assert.Equal("1", Encoding.UTF8.GetString(letter.Message.Body.Span));
    }

    [Fact]
    public async Task A_replayed_message_goes_to_the_end_of_its_session()
    {
        await Bus.Send([M("1", "s"), M("2", "s")]);
        await Bus.Reject(Assert.Single(await Take()), "no good");
        Assert.False(await Bus.Replay("other", "1"));
        Assert.True(await Bus.Replay("q", "1"));
        Assert.Empty(await Bus.DeadLetters("q", 10));
        var second = Assert.Single(await Take());
        Assert.Equal("2", second.Message.Id);
        await Bus.Complete(second);
        Assert.Equal(("1", 1), Assert.Single(await Take()) is var d ? (d.Message.Id, d.Attempt) : default);
    }

    [Fact]
    public async Task A_dead_letter_does_not_keep_a_new_message_of_its_id_out()
    {
        await Bus.Send([M("1")]);
        await Bus.Reject(Assert.Single(await Take()), "no good");
        await Bus.Send([M("1")]);
        Assert.Single(await Take());
        Assert.Single(await Bus.DeadLetters("q", 10));
    }

    [Fact]
    public async Task The_same_id_in_two_queues_is_two_messages()
    {
        await Bus.Send([M("1"), new("r", "1", Bytes("x"))]);
        Assert.Single(await Take());
        Assert.Single(await Bus.Receive("r", 10, TimeSpan.FromSeconds(30), TimeSpan.Zero));
        Assert.Equal(2, (await Bus.Depths()).Values.Sum());
    }

    [Fact]
    public async Task An_abandoned_message_is_due_after_its_delay()
    {
        await Bus.Send([M("1")]);
        await Bus.Abandon(Assert.Single(await Take()), TimeSpan.FromSeconds(10));
        Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(await Take());
        Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, Assert.Single(await Take()).Attempt);
    }

    [Fact]
    public async Task Many_receivers_share_the_messages_and_sessions_stay_in_order()
    {
        const int Sessions = 5, Each = 40;
        var (got, under) = (new ConcurrentQueue<(string Session, int N)>(), new ConcurrentDictionary<string, int>());
        using var over = new CancellationTokenSource();
        var send = Task.Run(async () =>
        {
            for (var n = 0; n < Each; n++)
                for (var s = 0; s < Sessions; s++) await Bus.Send([new("q", $"{s}.{n}", Bytes($"{n}"), $"{s}")]);
        });
        var receive = Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            while (got.Count < Sessions * Each && !over.IsCancellationRequested)
                foreach (var d in await Bus.Receive("q", 3, TimeSpan.FromMinutes(1), TimeSpan.Zero))
                {
                    Assert.True(under.TryAdd(d.Message.Session!, 0), "two messages of a session at once");
                    await Task.Yield();
                    got.Enqueue((d.Message.Session!, int.Parse(Encoding.UTF8.GetString(d.Message.Body.Span), null)));
                    under.TryRemove(d.Message.Session!, out var _);
                    Assert.True(await Bus.Complete(d));
                }
        }));
        try { await Together(receive.Append(send)); }
        finally { await over.CancelAsync(); }
        foreach (var session in got.GroupBy(g => g.Session)) Assert.Equal(Enumerable.Range(0, Each), session.Select(g => g.N));
        Assert.Empty(await Bus.Depths());
    }
}

public sealed class MemoryBusTests : BusTests, IDisposable
{
    private readonly MemoryBus _bus;

    public MemoryBusTests() => _bus = new(Clock);

    protected override IBus Bus => _bus;

    public void Dispose() => _bus.Dispose();
}

public sealed class SqliteBusTests : BusTests, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-bus");
    private readonly LocalState _state;

    public SqliteBusTests() => _state = LocalState.Open(Path.Combine(_directory.FullName, "s.db"), Clock);

    protected override IBus Bus => _state.Bus;

    public void Dispose()
    {
        _state.Dispose();
        _directory.Delete(recursive: true);
    }
}
