using System.Diagnostics;
using System.Globalization;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>With clients that others wrote: Microsoft's @azure/service-bus for Node, and rhea, which that one speaks AMQP with.</summary>
public sealed partial class SubscriptionTests
{
    private static readonly string Modules = Repository.Path(".cache/service-bus-7.9.5/node_modules");

    /// <summary>A durable receiver as its own documentation makes one: what isn't settled comes again, what is settled doesn't.</summary>
    [Fact]
    public async Task The_engine_of_service_bus_clients_reads_a_subscription_and_goes_on_where_it_left()
    {
        using (var first = Node(Receiver, "2", "accept"))
        {
            Assert.Equal("open", await Said(first));
            await _events.Emit("e1 a", "e2 b", "e3 a");
            Assert.Equal("e1 a cloud.serverless.test.thing.updated", await Said(first));
            Assert.StartsWith("e2 b ", await Said(first));
            Assert.Equal("closed", await Said(first));
        }
        await Unread("audit", 1);
        using (var second = Node(Receiver, "1", "release"))
        {
            Assert.Equal("open", await Said(second));
            Assert.StartsWith("e3 a ", await Said(second));
            Assert.Equal("closed", await Said(second));
        }
        using var third = Node(Receiver, "1", "accept");
        Assert.Equal("open", await Said(third));
        Assert.StartsWith("e3 a ", await Said(third));
        Assert.Equal("closed", await Said(third));
        await Unread("audit", 0);
    }

    [Fact]
    public async Task The_engine_of_service_bus_clients_is_told_why_it_may_not()
    {
        using var refused = Node(Receiver.Replace("events?type=cloud.serverless.test.*", "replies", StringComparison.Ordinal), "1", "accept");
        Assert.Equal("open", await Said(refused)); // as the protocol has it: a link is made, and then closed with the reason
        Assert.Equal("amqp:not-found", await Said(refused));
    }

    /// <summary>It proves who it is by a token put to a node; here one signs in. So it is turned away at the door, soon, and others are still let in.</summary>
    [Fact]
    public async Task A_service_bus_client_is_turned_away_and_knows_it()
    {
        using var client = Node("""
            const { ServiceBusClient } = require("@azure/service-bus");
            const client = new ServiceBusClient(`Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=${user};SharedAccessKey=${secret};UseDevelopmentEmulator=true`, { retryOptions: { maxRetries: 0, timeoutInMs: 20000 } });
            client.createSender("replies").sendMessages({ body: "x" }).then(() => console.log("sent"), e => console.log("refused: " + e.message)).then(() => process.exit());
            """, "1", "accept");
        Assert.StartsWith("refused: ", await Said(client));
        await Attach(await Connect(), "audit");
        Assert.DoesNotContain(_cloud.Bus.All, m => m.Queue == "replies");
    }

    private const string Receiver = """
        const rhea = require("rhea");
        const connection = rhea.connect({ host: "127.0.0.1", port, username: user, password: secret, reconnect: false });
        const link = connection.open_receiver({ name: "audit", source: { address: "events?type=cloud.serverless.test.*", durable: 2, expiry_policy: "never" }, credit_window: 0, autoaccept: false });
        const ended = what => { console.log(what); connection.close(); };
        link.on("receiver_open", () => { if (link.remote.attach.source) { link.add_credit(+count); console.log("open"); } });
        link.on("receiver_error", () => ended(link.error.condition));
        connection.on("connection_error", () => console.log(connection.error.condition));
        let left = +count;
        link.on("message", ({ message: m, delivery }) => {
            console.log(m.message_id, m.group_id, m.subject);
            delivery[settle]();
            if (--left === 0) ended("closed");
        });
        """;

    private Process Node(string script, string count, string settle)
    {
        Assert.SkipUnless(Directory.Exists(Modules) && File.Exists("/usr/bin/node"), "needs node and @azure/service-bus (infra/cli/npm.sh @azure/service-bus 7.9.5)");
        var start = new ProcessStartInfo("/usr/bin/node", ["-e", "const [port, user, secret, count, settle] = process.argv.slice(1);\n" + script, _listener.Address.Port.ToString(CultureInfo.InvariantCulture), _credential.Id, _credential.Secret, count, settle]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NODE_PATH"] = Modules;
        return Process.Start(start)!;
    }

    private static async Task<string?> Said(Process process) => await process.StandardOutput.ReadLineAsync().WaitAsync(Patience.Span);
}
