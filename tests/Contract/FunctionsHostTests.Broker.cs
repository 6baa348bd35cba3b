using System.Globalization;
using System.Net;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Bus.Brokers;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cloud.Tests.Contract;

public sealed partial class FunctionsHostTests
{
    /// <summary>State and bytes in Azurite, messages in RabbitMQ, nothing on the handler's disk; every step by a new process. What a server costs is counted on the way.</summary>
    [Fact]
    public async Task Nothing_is_kept_by_the_process_and_its_cost_is_counted()
    {
        await using var tables = await Azurite.Start("table");
        await using var blobs = await Azurite.Start("blob");
        Assert.SkipWhen(tables is null || blobs is null, Azurite.Missing);
        await using var rabbit = await RabbitMq.Start();
        Assert.SkipWhen(rabbit is null, RabbitMq.Missing);
        await using var queues = new AmqpBus(Broker.Parse(rabbit!.Connection), TimeProvider.System, new TimeOrderedIds(TimeProvider.System), NullLogger.Instance);
        _all = new(tables!.Connection, blobs!.Connection, rabbit.Connection, queues, "a password");

        var counted = new Count();
        var host = await FunctionsHost.Start(_functions, _data, all: _all);
        async Task Next()
        {
            Assert.Empty(host.Failed);
            counted.Add(host);
            Assert.Equal((0, ""), await host.Stop());
            await host.DisposeAsync();
            host = await FunctionsHost.Start(_functions, _data, all: _all);
        }

        try
        {
            var wish = await Furnish(() => host, Next);
            await Settle(host);
            await Next();

            // The first in new processes: the broker is killed under it as well.
            var first = await Post(host, "/compute/v2.1/servers", wish("first"), "server");
            await Next();
            Assert.Equal("BUILD", await Status(host, first));
            await rabbit.Restart();
            await Settle(host);
            await Next();
            Assert.Equal("ACTIVE", await Status(host, first));

            // The second is counted, in a process that is warm.
            await SignIn(host);
            await Settle(host);
            var warm = new Count();
            counted.Add(host);
            var (rows, bytes, held) = (tables.Requests, blobs.Requests, (await queues.Depths()).Values.Sum());
            var second = await Post(host, "/compute/v2.1/servers", wish("second"), "server");
            await Settle(host);
            warm.Add(host, counted);
            warm.Delayed = (await queues.Depths()).Values.Sum() - held;
            (rows, bytes) = (tables.Requests - rows, blobs.Requests - bytes);
            Assert.Equal("ACTIVE", await Status(host, second));
            TestContext.Current.SendDiagnosticMessage(warm.Report(rows, bytes));
            TestContext.Current.TestOutputHelper?.WriteLine(warm.Report(rows, bytes));
            Assert.InRange(warm.Executions, 5, 60);
            Assert.InRange(rows, 20, 500);

            foreach (var server in (string[])[first, second])
                Assert.Equal(HttpStatusCode.NoContent, (await host.Send(HttpMethod.Delete, "/compute/v2.1/servers/" + server, null, ("X-Auth-Token", _token))).StatusCode);
            await Next();
            await Settle(host);
            Assert.Empty((await Get(host, "/compute/v2.1/servers")).GetProperty("servers").EnumerateArray());
            Assert.DoesNotContain(_compute.World.Keys, k => k.StartsWith("domain/", StringComparison.Ordinal));
            Assert.Empty(host.Failed);
            Assert.False(Directory.Exists(Path.Combine(_data, "state")));
        }
        finally { await host.DisposeAsync(); }
    }

    /// <summary>What Azure would ask money for.</summary>
    private sealed class Count
    {
        private readonly Dictionary<string, int> _messages = [];
        private int _seen;
        private TimeSpan _busySeen, _busy;

        public int Executions { get; private set; }
        public int Delayed { get; set; }

        /// <param name="before">What of this process was counted there.</param>
        public void Add(FunctionsHost host, Count? before = null)
        {
            Executions += host.Executions - (before?._seen ?? 0);
            _busy += host.Busy - (before?._busySeen ?? default);
            (_seen, _busySeen) = (host.Executions, host.Busy);
            foreach (var (queue, n) in host.Messages) _messages[queue] = _messages.GetValueOrDefault(queue) + n - (before?._last.GetValueOrDefault(queue) ?? 0);
            _last = new(host.Messages);
        }

        private Dictionary<string, int> _last = [];

        public string Report(int rows, int bytes)
        {
            var (messages, hosts) = (_messages.Where(m => m.Value > 0).OrderBy(m => m.Key, StringComparer.Ordinal).ToList(), Names.HostQueue(""));
            return string.Create(CultureInfo.InvariantCulture, $"""
                creating one server (x 1,000 for 1,000): {Executions} executions, {_busy.TotalSeconds * 2:0.00} GB-s (2 GB instance, busy {_busy.TotalMilliseconds:0} ms here),
                {rows} transactions of tables, {bytes} of blobs, {messages.Sum(m => m.Value) + Delayed} messages ({string.Join(", ", messages.Select(m => $"{m.Key} {m.Value}"))}, waiting for their time {Delayed})
                """);
        }
    }
}
