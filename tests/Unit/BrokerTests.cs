using Amqp;
using Amqp.Framing;
using Amqp.Listener;
using Amqp.Types;
using Azure.Core;
using Azure.Identity;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Bus.Brokers;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
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
        var keyless = Broker.Parse("sb://name.servicebus.windows.net", () => new Entra());
        Assert.Equal(("name.servicebus.windows.net", 5671, true, "answers"), (keyless.Address.Host, keyless.Address.Port, keyless.IsServiceBus, keyless.Queue("answer.7")));
        Assert.Throws<ArgumentException>(() => Broker.Parse("sb://name.servicebus.windows.net"));
        foreach (var wrong in (string[])["", "http://x", "Endpoint=sb://x/", "secret"])
            Assert.DoesNotContain("secret", Assert.Throws<ArgumentException>(() => Broker.Parse(wrong)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_is_signed_as_documented() =>
        // Computed with openssl: printf '%s\n%s' 'sb%3A%2F%2Fn.servicebus.windows.net%2Fq' 1900000000 | openssl dgst -sha256 -hmac key -binary | base64
        Assert.Equal("SharedAccessSignature sr=sb%3A%2F%2Fn.servicebus.windows.net%2Fq&sig=VvOJt9uLqEYM3pxnH6TRLQRdu2n1kkSdrmiUwLRZohQ%3D&se=1900000000&skn=policy",
            Proof.Sign("sb://n.servicebus.windows.net/q", "policy", "key", DateTimeOffset.FromUnixTimeSeconds(1_900_000_000)));

    [Fact]
    public async Task Before_it_sends_it_shows_a_token_and_what_it_sends_has_session_and_time()
    {
        var (address, node) = (CloudCommand.FreeAddress(), new Node());
        var container = Listen(address, node);
        try
        {
            var connection = $"Endpoint=sb://{address}/;SharedAccessKeyName=policy;SharedAccessKey=key;UseDevelopmentEmulator=true";
            await using var bus = new AmqpBus(Broker.Parse(connection), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance);
            var due = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
            await bus.Send([new("sagas", "1", "x"u8.ToArray(), "s"), new("sagas", "2", "y"u8.ToArray(), "s", due)]);

            var ask = Assert.Single(node.Asked);
            Assert.Equal(("put-token", "servicebus.windows.net:sastoken", "sb://127.0.0.1/sagas"), (ask.ApplicationProperties["operation"], ask.ApplicationProperties["type"], ask.ApplicationProperties["name"]));
            Assert.StartsWith($"SharedAccessSignature sr={Uri.EscapeDataString("sb://127.0.0.1/sagas")}&sig=", (string)ask.Body, StringComparison.Ordinal);
            Assert.Equal(["1", "2"], node.Sent.Select(m => m.Properties.MessageId));
            Assert.All(node.Sent, m => Assert.Equal("s", m.Properties.GroupId));
            Assert.Equal(due.UtcDateTime, node.Sent[1].MessageAnnotations[new Symbol("x-opt-scheduled-enqueue-time")]);
        }
        finally { container.Close(); }
    }

    [Fact]
    public async Task With_an_identity_it_shows_a_token_of_Entra_and_the_next_before_that_one_ends()
    {
        var (address, node, clock, entra) = (CloudCommand.FreeAddress(), new Node(), new FakeTimeProvider(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)), new Entra());
        entra.Now = clock.GetUtcNow;
        var container = Listen(address, node);
        try
        {
            await using var bus = new AmqpBus(Keyless(address, entra), clock, new TimeOrderedIds(clock), NullLogger.Instance);
            await bus.Send([new("sagas", "1", "x"u8.ToArray(), "s")]);
            Assert.Equal(("jwt", "sb://127.0.0.1/sagas", "token 1"), (node.Asked[0].ApplicationProperties["type"], node.Asked[0].ApplicationProperties["name"], (string)node.Asked[0].Body));
            Assert.Equal(clock.GetUtcNow().AddHours(1).UtcDateTime, node.Asked[0].ApplicationProperties["expiration"]);
            Assert.Equal(["https://servicebus.azure.net/.default"], entra.Scopes);

            clock.Advance(TimeSpan.FromMinutes(50));
            await bus.Send([new("sagas", "2", "y"u8.ToArray(), "s")]);
            Assert.Single(node.Asked);
            clock.Advance(TimeSpan.FromMinutes(7)); // three before its end
            await node.Second.Task.WaitAsync(Patience.Span, TestContext.Current.CancellationToken);
            Assert.Equal(["token 1", "token 2"], node.Asked.Select(m => (string)m.Body));
        }
        finally { container.Close(); }
    }

    [Fact]
    public async Task Without_a_token_nothing_is_sent_and_it_is_said_like_a_broken_line()
    {
        var (address, node, clock, entra) = (CloudCommand.FreeAddress(), new Node(), new FakeTimeProvider(), new Entra { Refuses = true });
        var container = Listen(address, node);
        try
        {
            await using var bus = new AmqpBus(Keyless(address, entra), clock, new TimeOrderedIds(clock), NullLogger.Instance);
            var sending = bus.Send([new("sagas", "1", "x"u8.ToArray(), "s")]).AsTask();
            await entra.Asked.Task.WaitAsync(Patience.Span, TestContext.Current.CancellationToken);
            while (!sending.IsCompleted)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
            await Assert.ThrowsAsync<StoreUnavailableException>(() => sending);
            Assert.Empty(node.Sent);
        }
        finally { container.Close(); }
    }

    /// <summary>Without TLS, as no namespace is.</summary>
    private static Broker Keyless(string address, Entra entra) => Broker.Parse("sb://" + address, () => entra) with { Address = new("amqp://" + address) };

    private static ContainerHost Listen(string address, Node node)
    {
        var container = new ContainerHost(new Address("amqp://" + address));
        container.Listeners[0].SASL.EnableAnonymousMechanism = true;
        container.RegisterRequestProcessor("$cbs", node);
        container.RegisterMessageProcessor("sagas", node);
        container.Open();
        return container;
    }

    private sealed class Entra : TokenCredential
    {
        public Func<DateTimeOffset> Now { get; set; } = TimeProvider.System.GetUtcNow;
        public bool Refuses { get; init; }
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public List<string> Scopes { get; } = [];
        private int _given;

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Asked.TrySetResult();
            if (Refuses) throw new AuthenticationFailedException("no such identity");
            foreach (var scope in requestContext.Scopes)
                if (!Scopes.Contains(scope)) Scopes.Add(scope);
            return new($"token {++_given}", Now().AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(GetToken(requestContext, cancellationToken));
    }

    private sealed class Node : IRequestProcessor, IMessageProcessor
    {
        public List<Amqp.Message> Asked { get; } = [];
        public List<Amqp.Message> Sent { get; } = [];

        public TaskCompletionSource Second { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        int IRequestProcessor.Credit => 10;
        int IMessageProcessor.Credit => 10;

        public void Process(RequestContext context)
        {
            Asked.Add(context.Message);
            if (Asked.Count == 2) Second.TrySetResult();
            context.Complete(new Amqp.Message { ApplicationProperties = new() { ["status-code"] = 202, ["status-description"] = "as asked" } });
        }

        public void Process(MessageContext context)
        {
            Sent.Add(context.Message);
            context.Complete();
        }
    }
}
