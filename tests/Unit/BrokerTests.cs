using Amqp;
using Amqp.Framing;
using Amqp.Listener;
using Amqp.Types;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Bus.Brokers;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What is on the wire towards Service Bus, as its documentation describes it; the real one was never asked.</summary>
public sealed class BrokerTests
{
    [Fact]
    public void A_connection_says_which_broker_it_is()
    {
        var rabbit = Broker.Parse("amqp://me:p%40ss@broker:5673/one");
        Assert.Equal(("broker", 5673, "me", "p@ss"), (rabbit.Address.Host, rabbit.Address.Port, rabbit.Address.User, rabbit.Address.Password));
        Assert.Equal(("/queue/one.sagas", "/queue/one.sagas.dead", false), (rabbit.Queue("sagas"), rabbit.Dead("sagas"), rabbit.IsServiceBus));
        var azure = Broker.Parse("Endpoint=sb://name.servicebus.windows.net/;SharedAccessKeyName=cloud;SharedAccessKey=a+b/c=");
        Assert.Equal(("name.servicebus.windows.net", 5671, "AMQPS"), (azure.Address.Host, azure.Address.Port, azure.Address.Scheme.ToUpperInvariant()));
        Assert.Equal(("cloud", "a+b/c="), azure.Policy);
        Assert.Equal(("sagas", "sagas/$DeadLetterQueue", "answers", "7"), (azure.Queue("sagas"), azure.Dead("sagas"), azure.Queue("answer.7"), azure.SessionOf("answer.7")));
        foreach (var wrong in (string[])["", "http://x", "Endpoint=sb://x/", "secret"])
            Assert.DoesNotContain("secret", Assert.Throws<ArgumentException>(() => Broker.Parse(wrong)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_is_signed_as_documented() =>
        // Computed with openssl: printf '%s\n%s' 'sb%3A%2F%2Fn.servicebus.windows.net%2Fq' 1900000000 | openssl dgst -sha256 -hmac key -binary | base64
        Assert.Equal("SharedAccessSignature sr=sb%3A%2F%2Fn.servicebus.windows.net%2Fq&sig=VvOJt9uLqEYM3pxnH6TRLQRdu2n1kkSdrmiUwLRZohQ%3D&se=1900000000&skn=policy",
            ServiceBusTokens.Token("sb://n.servicebus.windows.net/q", "policy", "key", DateTimeOffset.FromUnixTimeSeconds(1_900_000_000)));

    [Fact]
    public async Task Before_it_sends_it_shows_a_token_and_what_it_sends_has_session_and_time()
    {
        var (host, port, node) = ("127.0.0.1", int.Parse(CloudCommand.FreeAddress().Split(':')[1], null), new Node());
        var container = new ContainerHost(new Address($"amqp://{host}:{port}"));
        container.Listeners[0].SASL.EnableAnonymousMechanism = true;
        container.RegisterRequestProcessor("$cbs", node);
        container.RegisterMessageProcessor("sagas", node);
        container.Open();
        try
        {
            var connection = $"Endpoint=sb://{host}:{port}/;SharedAccessKeyName=policy;SharedAccessKey=key;UseDevelopmentEmulator=true";
            await using var bus = new AmqpBus(Broker.Parse(connection), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance);
            var due = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
            await bus.Send([new("sagas", "1", "x"u8.ToArray(), "s"), new("sagas", "2", "y"u8.ToArray(), "s", due)]);

            var ask = Assert.Single(node.Asked);
            Assert.Equal(("put-token", "servicebus.windows.net:sastoken", $"sb://{host}/sagas"), (ask.ApplicationProperties["operation"], ask.ApplicationProperties["type"], ask.ApplicationProperties["name"]));
            Assert.StartsWith($"SharedAccessSignature sr={Uri.EscapeDataString($"sb://{host}/sagas")}&sig=", (string)ask.Body, StringComparison.Ordinal);
            Assert.Equal(["1", "2"], node.Sent.Select(m => m.Properties.MessageId));
            Assert.All(node.Sent, m => Assert.Equal("s", m.Properties.GroupId));
            Assert.Equal(due.UtcDateTime, node.Sent[1].MessageAnnotations[new Symbol("x-opt-scheduled-enqueue-time")]);
        }
        finally { container.Close(); }
    }

    private sealed class Node : IRequestProcessor, IMessageProcessor
    {
        public List<Amqp.Message> Asked { get; } = [];
        public List<Amqp.Message> Sent { get; } = [];

        int IRequestProcessor.Credit => 10;
        int IMessageProcessor.Credit => 10;

        public void Process(RequestContext context)
        {
            Asked.Add(context.Message);
            context.Complete(new Amqp.Message { ApplicationProperties = new() { ["status-code"] = 202, ["status-description"] = "as asked" } });
        }

        public void Process(MessageContext context)
        {
            Sent.Add(context.Message);
            context.Complete();
        }
    }
}
