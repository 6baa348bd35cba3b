using Amqp;
using Amqp.Framing;
using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Xunit;
using Outcome = Cloud.Agents.Contract.Outcome;

namespace Cloud.Tests.Contract;

/// <summary>Hosts and control plane over real sockets: nothing is lost, and nothing is settled before its answer is stored.</summary>
public sealed class HostLinkTests
{
    [Fact]
    public async Task A_command_is_settled_after_its_reply_is_stored()
    {
        await using var lab = await HostLab.Start();
        using var stop = new CancellationTokenSource();
        var run = lab.Link().Run((m, _) => Task.FromResult(Done(m)), stop.Token);
        await lab.Command("c1");
        Assert.Equal("lend c1 1", await lab.Bus.Next());
        Assert.Equal("send replies", await lab.Bus.Next());
        Assert.Equal("complete c1", await lab.Bus.Next());
        var reply = (CommandReply)ContractJson.ReadHostMessage(Assert.Single(await lab.Memory.Receive(Names.Replies, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Message.Body.Span);
        Assert.Equal(("c1", HostLab.Host, Outcome.Done), (reply.CommandId, reply.Host, reply.Outcome));
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task Many_commands_run_at_once_but_not_more_than_32()
    {
        await using var lab = await HostLab.Start();
        using var stop = new CancellationTokenSource();
        var (running, most, gate) = (0, 0, new TaskCompletionSource());
        for (var i = 0; i < 100; i++) await lab.Command($"c{i}");
        var run = lab.Link().Run(async (m, _) =>
        {
            var now = Interlocked.Increment(ref running);
            lock (gate) most = Math.Max(most, now);
            if (now == 32) gate.TrySetResult();
            await gate.Task;
            Interlocked.Decrement(ref running);
            return Done(m);
        }, stop.Token);
        for (var i = 0; i < 100; i++) await lab.Bus.Next("complete");
        Assert.Equal(32, most);
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task A_handler_that_fails_gives_the_command_back()
    {
        await using var lab = await HostLab.Start();
        using var stop = new CancellationTokenSource();
        var tries = 0;
        var run = lab.Link().Run((m, _) => ++tries == 1 ? Task.FromException<CommandReply>(new IOException("no")) : Task.FromResult(Done(m)), stop.Token);
        await lab.Command("c1");
        Assert.Equal("abandon c1 1", await lab.Bus.Next("abandon"));
        lab.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("lend c1 2", await lab.Bus.Next("lend"));
        Assert.Equal("complete c1", await lab.Bus.Next("complete"));
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task A_command_stays_the_hosts_for_as_long_as_it_works_on_it()
    {
        await using var lab = await HostLab.Start();
        using var stop = new CancellationTokenSource();
        var ended = new TaskCompletionSource();
        var run = lab.Link().Run(async (m, _) => { await ended.Task; return Done(m); }, stop.Token);
        await lab.Command("c1");
        await lab.Bus.Next("lend");
        for (var i = 0; i < 12; i++)
        {
            lab.Clock.Advance(TimeSpan.FromSeconds(10));
            Assert.Equal("renew c1", await lab.Bus.Next());
        }
        ended.SetResult();
        Assert.Equal("complete c1", await lab.Bus.Next("complete"));
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task After_the_control_plane_was_away_the_line_comes_back_and_so_does_the_command()
    {
        await using var lab = await HostLab.Start();
        using var stop = new CancellationTokenSource();
        var (tries, begun, first) = (0, new TaskCompletionSource(), new TaskCompletionSource());
        var link = lab.Link();
        var run = link.Run(async (m, ct) =>
        {
            if (Interlocked.Increment(ref tries) > 1) return Done(m);
            begun.SetResult();
            await first.Task.WaitAsync(ct);
            return Done(m);
        }, stop.Token);
        await lab.Command("c1");
        await lab.Bus.Next("lend c1 1");
        await begun.Task; // else the second time could be the first that the host sees
        var port = lab.Listener.Address.Port;
        await lab.Listener.DisposeAsync();
        Assert.Equal("abandon c1 0", await lab.Bus.Next("abandon"));
        var waiting = link.Send(new DomainEvent(HostLab.Host, "s1", "off", lab.Clock.GetUtcNow()), stop.Token);
        Assert.False(waiting.IsCompleted);
        lab.Listen(port);
        await waiting;
        Assert.Equal("complete c1", await lab.Bus.Next("complete"));
        first.SetResult();
        await stop.CancelAsync();
        await run;
    }

    [Fact]
    public async Task A_newer_connection_of_a_host_ends_the_older_and_frees_what_it_held()
    {
        await using var lab = await HostLab.Start();
        var old = new ReceiverLink(await lab.Session(), "r", Names.HostQueue(HostLab.Host));
        old.SetCredit(10);
        await lab.Command("c1");
        await lab.Bus.Next("lend c1 1");
        var young = new ReceiverLink(await lab.Session(), "r", Names.HostQueue(HostLab.Host));
        young.SetCredit(10);
        Assert.Equal("abandon c1 0", await lab.Bus.Next("abandon"));
        Assert.Equal("lend c1 2", await lab.Bus.Next("lend"));
        Assert.NotNull(await young.ReceiveAsync());
    }

    [Fact]
    public async Task A_rejected_command_becomes_a_dead_letter()
    {
        await using var lab = await HostLab.Start();
        var receiver = new ReceiverLink(await lab.Session(), "r", Names.HostQueue(HostLab.Host));
        await lab.Command("c1");
        receiver.Reject(await receiver.ReceiveAsync(), new Error(ErrorCode.NotAllowed) { Description = "can't be read" });
        await lab.Bus.Next("reject c1");
        Assert.Equal("can't be read", Assert.Single(await lab.Memory.DeadLetters(Names.HostQueue(HostLab.Host), 9)).Reason);
    }

    [Fact]
    public async Task What_a_broken_line_rejects_for_the_host_is_not_given_up()
    {
        // The library rejects what a connection held when it breaks, in the host's name and with the connection's error.
        await using var lab = await HostLab.Start();
        var receiver = new ReceiverLink(await lab.Session(), "r", Names.HostQueue(HostLab.Host));
        await lab.Command("c1");
        receiver.Reject(await receiver.ReceiveAsync(), new Error(ErrorCode.ConnectionForced) { Description = "Connection reset by peer" });
        Assert.Equal("abandon c1 0", await lab.Bus.Next("abandon"));
        Assert.Empty(await lab.Memory.DeadLetters(Names.HostQueue(HostLab.Host), 9));
    }

    [Fact]
    public async Task A_whole_console_passes()
    {
        await using var lab = await HostLab.Start();
        var text = new string('\x1b', 1 << 20);
        await lab.Link().Send(new CommandReply(HostLab.Host, "c1", "", "console/s1", 0, Outcome.Done, new Result(Text: text)), CancellationToken.None);
        var stored = Assert.Single(await lab.Memory.Receive(Names.Replies, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero));
        Assert.Equal(text, ((CommandReply)ContractJson.ReadHostMessage(stored.Message.Body.Span)).Result!.Text);
    }

    private static CommandReply Done(CommandMessage m) => new(m.Host, m.Id, m.ReplyTo, m.Command.Key, m.Fence, Outcome.Done);
}
