using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Unit.Agents;

/// <summary>A host tells what it holds again and again, and nothing of it that a command may just be changing.</summary>
public sealed class InventoriesTests : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly FakeTimeProvider _clock = new(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Ledger _ledger = new(":memory:");
    private readonly InHand _inHand = new();
    private readonly Holder _guests = new("domain/1", "running"), _disks = new("disk/1", null);
    private readonly Inventories _inventories;

    public InventoriesTests() => _inventories = new(new() { Name = "h", Data = "/nowhere" }, "boot", _ledger, _inHand, [_disks, _guests], _clock, NullLogger.Instance);

    private sealed class Holder(string key, string? state) : IHolder
    {
        public Func<Task> Look { get; set; } = () => Task.CompletedTask;

        public Task Recover(CancellationToken ct) => Task.CompletedTask;

        public async Task<IReadOnlyList<InventoryItem>> Items(CancellationToken ct)
        {
            await Look();
            return [new(key, 0, state)];
        }
    }

    [Fact]
    public async Task It_is_told_at_a_time_of_its_own_and_then_each_hour_one_at_a_time()
    {
        var sent = new List<HostMessage>();
        var line = new TaskCompletionSource();
        using var stop = new CancellationTokenSource();
        var run = _inventories.Run((m, _) => { sent.Add(m); return line.Task; }, stop.Token);
        _clock.Advance(Inventories.First("h", Hour) - TimeSpan.FromSeconds(1));
        Assert.Empty(sent);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(sent);
        _clock.Advance(Hour * 3);
        Assert.Single(sent);
        // What was missed while the line was away comes once.
        line.SetResult();
        await Until(run, () => sent.Count == 2);
        _clock.Advance(Hour);
        await Until(run, () => sent.Count == 3);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task A_round_that_fails_is_not_the_last()
    {
        var sent = 0;
        using var stop = new CancellationTokenSource();
        _guests.Look = () => throw new IOException("the sidecar is away");
        var run = _inventories.Run((_, _) => { sent++; return Task.CompletedTask; }, stop.Token);
        _clock.Advance(Hour);
        Assert.Equal(0, sent);
        _guests.Look = () => Task.CompletedTask;
        _clock.Advance(Hour);
        await Until(run, () => sent == 1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task A_guest_that_a_command_changes_meanwhile_has_no_state()
    {
        await Do("domain/1", 4, Outcome.Done);
        Assert.Equal(new InventoryItem("domain/1", 4, "running"), (await _inventories.Look(CancellationToken.None)).Items[0]);
        // It was looked at before the command.
        _disks.Look = () => Do("domain/1", 5, Outcome.Done, through: true);
        Assert.Equal(new InventoryItem("domain/1", 5), (await _inventories.Look(CancellationToken.None)).Items[0]);
        // The command began before and hasn't ended.
        _disks.Look = () => Task.CompletedTask;
        using (_inHand.Begin("domain/1")) Assert.Equal(new InventoryItem("domain/1", 5), (await _inventories.Look(CancellationToken.None)).Items[0]);
        Assert.Equal(new InventoryItem("domain/1", 5, "running"), (await _inventories.Look(CancellationToken.None)).Items[0]);
    }

    [Fact]
    public async Task What_failed_is_told_until_a_later_command_was_carried_out()
    {
        await Do("disk/1", 3, Outcome.Failed);
        var told = (await _inventories.Look(CancellationToken.None)).Items;
        Assert.Equal((InventoryItem[])[new("domain/1", 0, "running"), new("disk/1", 3, Undone: true)], told);
        await Do("disk/1", 3, Outcome.Done);
        Assert.Null((await _inventories.Look(CancellationToken.None)).Items[1].Undone);
    }

    [Fact]
    public void Hosts_that_started_together_do_not_speak_together()
    {
        var waits = Enumerable.Range(1, 600).Select(i => Inventories.First($"host-{i:000}", Hour)).ToList();
        Assert.All(waits, w => Assert.InRange(w, Hour * 0.1, Hour));
        Assert.True(waits.GroupBy(w => (int)w.TotalMinutes).Max(g => g.Count()) < 40);
    }

    /// <summary>A command as the inbox does it.</summary>
    private async Task Do(string key, long fence, Outcome outcome, bool through = false)
    {
        using var work = through ? _inHand.Begin(key) : null;
        await Task.Yield();
        var id = Guid.NewGuid().ToString();
        var (kind, thing) = (key.Split('/')[0], key.Split('/')[1]);
        var message = new CommandMessage(id, "h", fence, "", kind == "disk" ? new EnsureDisk(thing, 1) : new RebootDomain(thing, Soft: true, id));
        Assert.True(_ledger.Begin(message).Act);
        _ledger.End(message, new("h", id, "", key, fence, outcome));
    }

    /// <summary>What goes on does so on the thread pool.</summary>
    private static async Task Until(Task run, Func<bool> so)
    {
        while (!so())
        {
            if (run.IsCompleted) await run;
            await Task.Yield();
        }
    }

    public void Dispose() => _ledger.Dispose();
}
