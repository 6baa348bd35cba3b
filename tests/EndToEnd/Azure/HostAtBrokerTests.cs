using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform;
using Cloud.Platform.Bus.Brokers;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.EndToEnd.Azure;

/// <summary>A host's own line at a broker instead of our listener: RabbitMQ, where it has a user that may use two queues.</summary>
public sealed class HostAtBrokerTests
{
    [Fact]
    public async Task What_a_host_was_sent_and_what_it_said_outlive_the_broker()
    {
        var root = Directory.CreateTempSubdirectory("cs-host-broker-");
        var (host, secret) = (new SimulatedHost("sim-1"), Path.Combine(root.FullName, "secret"));
        await File.WriteAllTextAsync(secret, "its secret");
        await using var broker = await RabbitMq.Start(new([Names.Replies, Names.HostQueue("sim-1")], [("guest", "guest", ".*"), (Names.HostQueue("sim-1"), "its secret", $"^(host\\.sim-1|{Names.Replies})$")]));
        Assert.SkipWhen(broker is null, RabbitMq.Missing);
        await using var bus = new AmqpBus(Broker.Parse(broker!.Connection), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance);
        await bus.Send([new(Names.HostQueue("sim-1"), "c1", ContractJson.Write(new CommandMessage("c1", "sim-1", 1, "queue|answer.x", new EnsureDisk("d1", 1 << 20))))]);
        await broker.Killed(TimeSpan.Zero);

        using var stop = new CancellationTokenSource();
        await using (var link = new HostLink(broker.Connection.Replace("guest:guest@", "", StringComparison.Ordinal) + "?broker", "sim-1", secret, TimeProvider.System, NullLoggerFactory.Instance))
        {
            await link.Send(host.Beat(), stop.Token);
            var carried = new TaskCompletionSource();
            var running = link.Run((m, _) =>
            {
                carried.TrySetResult();
                return Task.FromResult(host.Handle(m)!);
            }, stop.Token);
            await carried.Task.WaitAsync(Patience.Span);
            while ((await broker.Depths())[Names.Replies] < 2) { /* it takes a while to ask */ }
            await stop.CancelAsync();
            await running;
        }
        Assert.Contains("disk/d1", host.World.Keys);
        await broker.Killed(TimeSpan.Zero);

        var said = (await bus.Receive(Names.Replies, 10, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Select(d => ContractJson.ReadHostMessage(d.Message.Body.Span)).ToList();
        Assert.Single(said.OfType<Heartbeat>());
        Assert.Equal(("c1", Outcome.Done), said.OfType<CommandReply>().Select(r => (r.CommandId, r.Outcome)).Single());
        root.Delete(recursive: true);
    }
}
