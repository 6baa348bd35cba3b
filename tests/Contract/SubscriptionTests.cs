using System.Net;
using System.Threading.Channels;
using Amqp;
using Amqp.Framing;
using Amqp.Types;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Bus;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Durable subscriptions, with a client of the protocol that knows nothing of us.</summary>
public sealed partial class SubscriptionTests : IAsyncLifetime
{
    private const string Things = "events?type=cloud.serverless.test.*";
    private readonly List<Connection> _connections = [];
    private readonly Channel<long> _written = Channel.CreateUnbounded<long>();
    private TestCloud _cloud = null!;
    private WebhookReceiver _events = null!;
    private AmqpListener _listener = null!;
    private (string Id, string Secret) _credential;

    public async ValueTask InitializeAsync()
    {
        _cloud = await TestCloud.Start(0);
        _events = await WebhookReceiver.Start(_cloud);
        _credential = await Credential("demo");
        _listener = new(_cloud.Bus, (host, secret) => HostKeys.Check(_cloud.Store, host, secret), new(IPAddress.Loopback, 0), _cloud.Clock, new TimeOrderedIds(_cloud.Clock), NullLogger.Instance, (user, secret) => Cloud.Events.Facade.Admit(_cloud.Services, user, secret));
        _cloud.Store.OnCommit = after => { if (after && _cloud.Store.Last.StartsWith("subscriptions.", StringComparison.Ordinal)) _written.Writer.TryWrite(0); };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) await connection.CloseAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _listener.DisposeAsync();
        await _cloud.DisposeAsync();
    }

    private async Task<(string, string)> Credential(string user, object? more = null)
    {
        var wish = more is null ? [] : System.Text.Json.JsonSerializer.SerializeToNode(more)!.AsObject();
        wish["name"] ??= "reader";
        var made = (await _cloud.Send("POST", $"/identity/v3/users/{await _cloud.IdOf("users", user)}/application_credentials", new { application_credential = wish }, user)).Body.GetProperty("application_credential");
        return (made.GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
    }

    private async Task<Session> Connect((string Id, string Secret)? credential = null)
    {
        var (id, secret) = credential ?? _credential;
        var connection = await new ConnectionFactory().CreateAsync(new Address("127.0.0.1", _listener.Address.Port, id, secret, "/", "amqp"));
        _connections.Add(connection);
        return new(connection);
    }

    private static async Task<ReceiverLink> Attach(Session session, string name, string address = Things)
    {
        var attached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var link = new ReceiverLink(session, name, new Source { Address = address, Durable = 2, ExpiryPolicy = new Symbol("never") }, (_, _) => attached.TrySetResult());
        link.AddClosedCallback((_, _) => attached.TrySetResult());
        await attached.Task.WaitAsync(Patience.Span);
        return link;
    }

    private static async Task<string> Next(ReceiverLink link, bool accept = true)
    {
        var message = await link.ReceiveAsync(Patience.Span) ?? throw new TimeoutException("nothing came");
        if (accept) link.Accept(message);
        return message.Properties.MessageId;
    }

    /// <summary>Until the subscription's cursor has no more before it than that.</summary>
    private async Task Unread(string name, int unread)
    {
        while (true)
        {
            var all = (await _cloud.Send("GET", "/events/v1/subscriptions", user: "demo")).Body.GetProperty("subscriptions").EnumerateArray();
            if (all.Single(s => s.GetProperty("name").GetString() == name).GetProperty("unread").GetInt32() <= unread) return;
            await _written.Reader.ReadAsync().AsTask().WaitAsync(Patience.Span);
        }
    }

    [Fact]
    public async Task Who_was_away_goes_on_where_he_left()
    {
        var session = await Connect();
        var link = await Attach(session, "audit");
        await _events.Emit("e1 a", "e2 b", "e3 a");
        var first = await link.ReceiveAsync(Patience.Span);
        Assert.Equal(("e1", "cloud.serverless.test.thing.updated", "a", "application/cloudevents+json"), (first.Properties.MessageId, first.Properties.Subject, first.Properties.GroupId, (string)first.Properties.ContentType));
        var body = System.Text.Encoding.UTF8.GetString(first.GetBody<byte[]>());
        Assert.Contains("\"e1\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("operator", body, StringComparison.Ordinal);
        link.Accept(first);
        Assert.Equal("e2", await Next(link));
        await Unread("audit", 1);
        Assert.Equal("e3", await Next(link, accept: false));
        await session.Connection.CloseAsync();

        await _events.Emit("e4 b");
        link = await Attach(await Connect(), "audit");
        Assert.Equal("e3", await Next(link)); // it was not settled
        Assert.Equal("e4", await Next(link));
        await Unread("audit", 0);
        // Another name is another subscription, which begins where it is told to.
        Assert.Equal("e1", await Next(await Attach(await Connect(), "other", Things + "&cursor=0")));
    }

    [Fact]
    public async Task What_is_settled_out_of_turn_moves_nothing_until_the_hole_is_closed()
    {
        var link = await Attach(await Connect(), "audit");
        await _events.Emit("e1 a", "e2 b");
        var one = await link.ReceiveAsync(Patience.Span);
        var two = await link.ReceiveAsync(Patience.Span);
        link.Accept(two);
        link.Release(one); // comes once more
        Assert.Equal("e1", await Next(link));
        await Unread("audit", 0);
        link = await Attach(await Connect(), "audit");
        await _events.Emit("e3 a");
        Assert.Equal("e3", await Next(link));
    }

    [Fact]
    public async Task A_subscription_has_one_reader_the_newest()
    {
        var old = await Attach(await Connect(), "audit");
        var stolen = HostLab.Refusal(old);
        var link = await Attach(await Connect(), "audit");
        Assert.Equal("amqp:link:stolen", (string)(await stolen).Condition);
        await _events.Emit("e1 a");
        Assert.Equal("e1", await Next(link));
    }

    [Fact]
    public async Task Strangers_hosts_queues_and_others_events_are_not_to_be_had()
    {
        await Assert.ThrowsAsync<AmqpException>(() => Connect((_credential.Id, "wrong")));
        await Assert.ThrowsAsync<AmqpException>(() => Connect(("nobody", _credential.Secret)));
        var narrow = await Credential("demo", new { name = "narrow", access_rules = new[] { new { service = "compute", method = "GET", path = "/v2.1/servers" } } });
        await Assert.ThrowsAsync<AmqpException>(() => Connect(narrow));

        foreach (var address in new[] { "replies", "host.h1", "events/x", "events?colour=red", "events?all_projects=1", "events?cursor=99999999" })
        {
            var link = new ReceiverLink(await Connect(), "l", address);
            Assert.Contains((string)(await HostLab.Refusal(link)).Condition, new[] { "amqp:not-found", "amqp:invalid-field" });
        }
        Assert.Equal("amqp:unauthorized-access", (string)(await HostLab.Refusal(new SenderLink(await Connect(), "s", "replies"))).Condition);

        await _cloud.AddUser("eve");
        var hers = await Attach(await Connect(await Credential("eve")), "audit", "events?cursor=0&type=cloud.serverless.test.*");
        await _events.Emit("e1 a");
        await (await WebhookReceiver.Start(_cloud, "eve.example", "9.9.9.9", "eve")).Emit("h1 a");
        Assert.Equal("h1", await Next(hers)); // and not his before
        Assert.Empty((await _cloud.Send("GET", "/events/v1/subscriptions", user: "admin")).Body.GetProperty("subscriptions").EnumerateArray());
        // Ending one of that name of one's own is not ending another's.
        var before = _cloud.Store.All.Count(r => r.Partition.StartsWith("subscriptions.", StringComparison.Ordinal));
        Assert.Equal(204, (await _cloud.Send("DELETE", "/events/v1/subscriptions/audit", user: "admin")).Status);
        Assert.Equal(before, _cloud.Store.All.Count(r => r.Partition.StartsWith("subscriptions.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_credential_that_is_gone_ends_its_lines()
    {
        var link = await Attach(await Connect(), "audit");
        var ended = HostLab.Refusal(link);
        link.SetCredit(10);
        Assert.Equal(204, (await _cloud.Send("DELETE", $"/identity/v3/users/{await _cloud.IdOf("users", "demo")}/application_credentials/{_credential.Id}", user: "demo")).Status);
        // At the next event, or after fifteen seconds of silence.
        await _events.Emit("e1 a");
        await _events.Emit("e2 a");
        Assert.Equal("amqp:unauthorized-access", (string)(await ended).Condition);
        Assert.Equal(204, (await _cloud.Send("DELETE", "/events/v1/subscriptions/audit", user: "demo")).Status);
        Assert.DoesNotContain(_cloud.Store.All, r => r.Partition.StartsWith("subscriptions.", StringComparison.Ordinal));
    }
}
