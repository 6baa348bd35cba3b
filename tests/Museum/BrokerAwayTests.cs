using System.Globalization;
using Amqp;
using Amqp.Listener;
using Cloud.Platform;
using Cloud.Platform.Bus.Brokers;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>
/// A test on RabbitMQ never ended now and then: the killed broker had lost a queue that was a moment old (docs/azure.md), and where the clock stands still a
/// receiver waits for ever. Looking for that, two more ways were found in which somebody could wait for what never comes.
/// </summary>
public sealed class BrokerAwayTests
{
    /// <summary>A broker may take longer to start anew than a send waits for it: the sender is told, and must try again.</summary>
    [Fact]
    public async Task A_send_that_gave_up_can_be_done_again_on_the_same_bus_when_the_broker_is_back()
    {
        var address = CloudCommand.FreeAddress();
        var clock = new FakeTimeProvider();
        await using var bus = new AmqpBus(Broker.Parse("amqp://" + address), clock, new TimeOrderedIds(clock), NullLogger.Instance);
        var sending = bus.Send([new("q", "1", "x"u8.ToArray())]).AsTask();
        using var late = new CancellationTokenSource(Patience.Span);
        while (!sending.IsCompleted)
        {
            Assert.False(late.IsCancellationRequested, "the send never gives up");
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await Assert.ThrowsAsync<StoreUnavailableException>(() => sending);

        using var node = new Node(address);
        await bus.Send([new("q", "1", "x"u8.ToArray())]).AsTask().WaitAsync(Patience.Span);
        Assert.Equal(["1"], node.Sent);
    }

    /// <summary>Who had sent went on on the thread that reads the connection, so nothing was read while he waited.</summary>
    [Fact]
    public async Task Who_has_sent_may_block_his_thread_and_the_connection_is_read_nevertheless()
    {
        var address = CloudCommand.FreeAddress();
        using var node = new Node(address);
        await using var bus = new AmqpBus(Broker.Parse("amqp://" + address), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance);
        for (var n = 0; n < 3; n++)
        {
            await bus.Send([new("q", $"{n}", "x"u8.ToArray())]);
            Assert.True(Blocking(bus.Send([new("q", $"{n} again", "x"u8.ToArray())]).AsTask()), "the connection is not read");
        }
        Assert.Equal(6, node.Sent.Count);
    }

    private static bool Blocking(Task task) => task.Wait(TimeSpan.FromSeconds(10));

    private sealed class Node : IMessageProcessor, IDisposable
    {
        private readonly ContainerHost _host;

        public Node(string address)
        {
            _host = new(new Address(address.Split(':')[0], int.Parse(address.Split(':')[1], CultureInfo.InvariantCulture), null, null, "/", "amqp"));
            _host.Listeners[0].SASL.EnableAnonymousMechanism = true;
            _host.RegisterMessageProcessor("/queue/q", this);
            _host.Open();
        }

        public List<string> Sent { get; } = [];

        int IMessageProcessor.Credit => 10;

        public void Process(MessageContext context)
        {
            Sent.Add(context.Message.Properties.MessageId);
            context.Complete();
        }

        public void Dispose() => _host.Close();
    }
}
