using System.Globalization;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Bus.Brokers;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.EndToEnd.Azure;

/// <summary>One broker for all of a class.</summary>
public sealed class OneRabbitMq : IAsyncLifetime
{
    public RabbitMq? Broker { get; private set; }

    public async ValueTask InitializeAsync() => Broker = await RabbitMq.Start();

    public ValueTask DisposeAsync() => Broker?.DisposeAsync() ?? default;
}

/// <summary>With the broker as a process of the test.</summary>
public sealed class RabbitMqBusTests(OneRabbitMq rabbit) : BrokerBusTests(rabbit.Broker, RabbitMq.Missing), IClassFixture<OneRabbitMq>;

/// <summary>What every bus must do, on RabbitMQ by AMQP 1.0; and what only a broker has to think of.</summary>
public abstract class BrokerBusTests : BusTests, IAsyncDisposable
{
    private readonly IBrokerProcess _broker;
    private readonly string _prefix = Guid.NewGuid().ToString("N");
    private readonly AmqpBus _bus;

    /// <param name="missing">Why there is no broker, when there is none.</param>
    protected BrokerBusTests(IBrokerProcess? broker, string missing)
    {
        Assert.SkipWhen(broker is null, missing);
        _broker = broker!;
        _bus = Open();
    }

    protected override IBus Bus => field ??= new PatientBus(_bus);

    private AmqpBus Open() => new(Broker.Parse($"{_broker.Connection}/{_prefix}"), Clock, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance, wire: TimeProvider.System);

    [Fact]
    public async Task What_a_process_had_taken_and_not_settled_comes_to_the_next_and_in_order()
    {
        await using (var first = Open())
        {
            await first.Send([.. Enumerable.Range(0, 300).Select(n => M($"{n}", $"{n % 3}"))]);
            Assert.Equal(3, (await first.Receive("q", 300, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Count);
        }
        var seen = new List<int>();
        while (await Take(300) is { Count: > 0 } some)
            foreach (var d in some)
            {
                seen.Add(int.Parse(d.Message.Id, CultureInfo.InvariantCulture));
                Assert.True(await Bus.Complete(d));
            }
        Assert.Equal(300, seen.Count);
        foreach (var session in seen.GroupBy(n => n % 3)) Assert.Equal(session.Order(), session);
    }

    [Fact]
    public async Task A_broker_that_is_killed_and_comes_back_loses_nothing()
    {
        const int All = 400;
        var done = new HashSet<string>();
        var taken = new TaskCompletionSource();
        var receive = Task.Run(async () =>
        {
            while (done.Count < All)
                foreach (var d in await Bus.Receive("q", 10, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)))
                {
                    if (await Bus.Complete(d)) done.Add(d.Message.Id);
                    if (done.Count == All / 8) taken.TrySetResult();
                }
        });
        var send = Task.Run(async () =>
        {
            for (var n = 0; n < All; n++)
            {
                if (n == All / 2) await taken.Task;
                // It gives up after twenty seconds, and on a busy machine a broker takes longer to start: then it is for the sender to try again.
                for (var sent = false; !sent;)
                    try { await Bus.Send([M($"{n}", $"{n % 5}")]); sent = true; }
                    catch (StoreUnavailableException) { /* perhaps sent: the same id twice is one message */ }
            }
        });
        await Together(send, receive, Task.Run(async () => { await taken.Task; await _broker.Restart(); }));
        foreach (var again in await Take(All)) Assert.True(await Bus.Complete(again)); // settled as it died: twice is allowed
        await using var other = Open();
        Assert.Empty(await other.Receive("q", 10, TimeSpan.FromMinutes(1), TimeSpan.Zero));
    }

    [Fact]
    public async Task What_is_in_hand_when_the_line_breaks_is_nobodys_lock_any_more()
    {
        await Bus.Send([M("1", "s"), M("2", "s")]);
        var lost = Assert.Single(await Take());
        await _broker.Restart();
        var again = Assert.Single(await Bus.Receive("q", 10, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)));
        Assert.Equal(("1", 2), (again.Message.Id, again.Attempt));
        Assert.False(await Bus.Complete(lost));
        Assert.True(await Bus.Complete(again));
    }

    [Fact]
    public async Task An_answer_is_received_once_and_its_queue_left()
    {
        await Bus.Send([new("answer.1", "a", Bytes("yes"))]);
        var answer = Assert.Single(await Bus.Receive("answer.1", 1, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)));
        Assert.Equal("yes", Encoding.UTF8.GetString(answer.Message.Body.Span));
        Assert.True(await Bus.Complete(answer));
        Assert.Empty(await Bus.Receive("answer.1", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_bus is not null) await _bus.DisposeAsync();
    }
}
