using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Platform.Sagas;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>The executable as a custom handler, against the contract of the Azure Functions host. What was never run: the real host, Service Bus, Tables.</summary>
public sealed partial class FunctionsHostTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("cs-functions-").FullName;
    private readonly string _functions;
    private readonly SimulatedHost _compute = new("sim-1");
    private string _token = "";
    private int _sent;
    private HandlerState? _all;

    public FunctionsHostTests()
    {
        _functions = Path.Combine(_data, "functions");
        FunctionJson.Write(_functions, Triggers.All(Slices.All));
    }

    [Fact]
    public Task A_server_comes_to_be_by_nothing_but_what_the_host_sends() => Life(null);

    [Fact]
    public async Task The_same_with_its_state_in_a_table_and_a_new_process_for_every_step()
    {
        await using var azurite = await Azurite.Start("table");
        Assert.SkipWhen(azurite is null, Azurite.Missing);
        await Life(azurite!.Connection);
    }

    /// <summary>Signs in and makes what a server needs; the next step after each of them.</summary>
    /// <returns>What is said to make a server of a name.</returns>
    private async Task<Func<string, object>> Furnish(Func<FunctionsHost> host, Func<Task> next)
    {
        await SignIn(host());
        await next();
        await Tell(host(), _compute.Beat());
        await next();
        var image = await Upload(host());
        await next();
        var network = await Post(host(), "/network/v2.0/networks", new { network = new { name = "n" } }, "network");
        await next();
        await Post(host(), "/network/v2.0/subnets", new { subnet = new { network_id = network, cidr = "10.0.0.0/24", ip_version = 4 } }, "subnet");
        await next();
        var flavor = (await Get(host(), "/compute/v2.1/flavors")).GetProperty("flavors")[0].GetProperty("id").GetString();
        return name => new { server = new { name, imageRef = image, flavorRef = flavor, networks = new[] { new { uuid = network } } } };
    }

    private async Task Life(string? tables)
    {
        var host = await FunctionsHost.Start(_functions, _data, tables);
        async Task Next()
        {
            if (tables is null) return;
            Assert.Empty(host.Failed);
            Assert.Equal((0, ""), await host.Stop());
            await host.DisposeAsync();
            host = await FunctionsHost.Start(_functions, _data, tables);
        }

        try
        {
            var wish = await Furnish(() => host, Next);
            var server = await Post(host, "/compute/v2.1/servers", wish("s"), "server");
            await Next();

            // Nothing runs by itself: the message lies there until somebody brings it.
            Assert.Equal("BUILD", await Status(host, server));
            Assert.NotEmpty(await Peek(host, SagaMessage.Queue));
            await Settle(host);
            await Next();
            Assert.Equal("ACTIVE", await Status(host, server));
            Assert.Contains($"domain/{server}", _compute.World.Keys);

            foreach (var timer in host.Timers) Assert.Equal(HttpStatusCode.OK, await host.Tick(timer));
            Assert.NotEmpty(host.Timers);
            Assert.Empty(host.Failed);
            Assert.Equal((0, ""), await host.Stop());
            await host.DisposeAsync();

            host = await FunctionsHost.Start(_functions, _data, tables);
            await SignIn(host);
            var id = (await Get(host, "/compute/v2.1/servers")).GetProperty("servers")[0].GetProperty("id").GetString()!;
            Assert.Equal("ACTIVE", await Status(host, id));
            Assert.Equal(HttpStatusCode.NoContent, (await host.Send(HttpMethod.Delete, "/compute/v2.1/servers/" + id, null, ("X-Auth-Token", _token))).StatusCode);
            await Next();
            await Settle(host);
            Assert.DoesNotContain(_compute.World.Keys, k => k.StartsWith("domain/", StringComparison.Ordinal));
        }
        finally { await host.DisposeAsync(); }
    }

    [Fact]
    public async Task A_message_that_fails_is_a_failed_invocation_and_comes_again()
    {
        await using var host = await FunctionsHost.Start(_functions, _data);
        var bad = new Message(SagaMessage.Queue, "m1", JsonSerializer.SerializeToUtf8Bytes(new { Partition = "p", Saga = "s", Key = "k", Name = "no-such-saga-1" }), "p|k");
        await host.Enqueue(bad);
        await host.Drain("nobody", _ => Task.CompletedTask);
        Assert.Equal(["m1"], host.Failed);

        var delivery = new Delivery(bad, 2, "lock", default);
        Assert.Equal(HttpStatusCode.InternalServerError, await host.Invoke("queue-sagas", host.Payload("queue-sagas", delivery)));
        Assert.Equal(HttpStatusCode.BadRequest, await host.Invoke("queue-sagas", new JsonObject()));
        Assert.Equal(HttpStatusCode.BadRequest, await host.Invoke("queue-sagas", new JsonObject { ["Data"] = new JsonObject { ["message"] = "not base64!" }, ["Metadata"] = new JsonObject { ["MessageId"] = "m" } }));
        Assert.Equal(HttpStatusCode.BadRequest, await host.Invoke("queue-sagas", new JsonObject { ["Data"] = new JsonObject { ["message"] = "e30=" }, ["Metadata"] = new JsonObject() }));
        Assert.Equal(HttpStatusCode.NotFound, await host.Invoke("queue-unknown", new JsonObject()));
        var (_, output) = await host.Stop();
        Assert.Contains("queue-sagas 0f8fad5b-d9cb-469f-a165-70867728950e, attempt 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_pass_as_they_are()
    {
        await using var host = await FunctionsHost.Start(_functions, _data);
        var catalog = (await SignIn(host)).GetProperty("token").GetProperty("catalog").EnumerateArray();
        Assert.All(catalog.SelectMany(s => s.GetProperty("endpoints").EnumerateArray()), e => Assert.StartsWith($"https://{FunctionsHost.PublicName}/", e.GetProperty("url").GetString(), StringComparison.Ordinal));

        using var key = await host.Send(HttpMethod.Post, "/compute/v2.1/os-keypairs", JsonContent.Create(new { keypair = new { name = "my key", public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDU0zGRKIhBeMG1oiQ0K4bDR8YAVZGRnBaK6OnLzUiaQ x" } }), ("X-Auth-Token", _token));
        Assert.Equal(HttpStatusCode.OK, key.StatusCode);
        using var encoded = await host.Send(HttpMethod.Get, "/compute/v2.1/os-keypairs/my%20key", null, ("X-Auth-Token", _token));
        Assert.Equal(HttpStatusCode.OK, encoded.StatusCode);
        using var slash = await host.Send(HttpMethod.Get, "/compute/v2.1/os-keypairs/my%2Fkey", null, ("X-Auth-Token", _token));
        Assert.Equal(HttpStatusCode.NotFound, slash.StatusCode);
        Assert.Contains("my/key", await slash.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var versioned = await host.Send(HttpMethod.Head, "/compute/v2.1/servers", null, ("X-Auth-Token", _token), ("OpenStack-API-Version", "compute 2.60"));
        Assert.Equal(HttpStatusCode.OK, versioned.StatusCode);
        Assert.Equal("compute 2.60", versioned.Headers.GetValues("OpenStack-API-Version").Single());
        Assert.True(versioned.Content.Headers.ContentLength > 0);

        var image = await Upload(host);
        using var part = await host.Send(HttpMethod.Get, $"/image/v2/images/{image}/file", null, ("X-Auth-Token", _token), ("Range", "bytes=5-9"));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(Bytes[5..10], await part.Content.ReadAsByteArrayAsync());

        // A client's path can name a function of another kind only if the host passes it on, which it doesn't; nor does the bus open without the key.
        Assert.Equal(HttpStatusCode.NotFound, (await host.Send(HttpMethod.Post, "/queue-sagas")).StatusCode);
        using var trick = await host.Send(HttpMethod.Post, "/compute/../-/bus/sagas/receive");
        Assert.Equal(HttpStatusCode.NotFound, trick.StatusCode);
        using var door = await host.Direct(BusDoor.Path + "sagas/receive", "guess");
        Assert.Equal(HttpStatusCode.Unauthorized, door.StatusCode);
    }

    [Fact]
    public async Task Without_a_place_for_its_state_it_says_so()
    {
        var refusal = await Assert.ThrowsAsync<ArgumentException>(() => CustomHandler.Run(name => name == CustomHandler.Port ? "8080" : null));
        Assert.Contains(CustomHandler.Data, refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => CustomHandler.Run(_ => "x"));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 >> 3))];

    private async Task<JsonElement> SignIn(FunctionsHost host)
    {
        var password = _all?.Password ?? (await File.ReadAllTextAsync(Path.Combine(_data, "state", "admin-password"))).Trim();
        using var answer = await host.Send(HttpMethod.Post, "/identity/v3/auth/tokens", JsonContent.Create(new
        {
            auth = new
            {
                identity = new { methods = new[] { "password" }, password = new { user = new { name = "admin", domain = new { id = "default" }, password } } },
                scope = new { project = new { name = "admin", domain = new { id = "default" } } },
            },
        }));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        _token = answer.Headers.GetValues("X-Subject-Token").Single();
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>In chunks, larger than any JSON body may be.</summary>
    private async Task<string> Upload(FunctionsHost host)
    {
        var image = await Post(host, "/image/v2/images", new { name = "i", disk_format = "raw", container_format = "bare" }, null);
        using var content = new Chunked(Bytes) { Headers = { ContentType = new("application/octet-stream") } };
        using var answer = await host.Send(HttpMethod.Put, $"/image/v2/images/{image}/file", content, ("X-Auth-Token", _token));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        return image;
    }

    private async Task<string> Post(FunctionsHost host, string target, object body, string? envelope)
    {
        using var answer = await host.Send(HttpMethod.Post, target, JsonContent.Create(body), ("X-Auth-Token", _token));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        var json = JsonDocument.Parse(text).RootElement;
        return (envelope is null ? json : json.GetProperty(envelope)).GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> Get(FunctionsHost host, string target)
    {
        using var answer = await host.Send(HttpMethod.Get, target, null, ("X-Auth-Token", _token));
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<string> Status(FunctionsHost host, string server) => (await Get(host, "/compute/v2.1/servers/" + server)).GetProperty("server").GetProperty("status").GetString()!;

    private async Task Tell(FunctionsHost host, HostMessage message)
    {
        await host.Enqueue(new(Names.Replies, $"sim-1.{++_sent}", ContractJson.Write(message)));
        await Settle(host);
    }

    private Task Settle(FunctionsHost host) => host.Drain(Names.HostQueue("sim-1"), async d =>
    {
        if (_compute.Handle(ContractJson.ReadCommand(d.Message.Body.Span)) is { } reply) await host.Enqueue(new(Names.Replies, $"sim-1.{++_sent}", ContractJson.Write(reply)));
    });

    private static async Task<List<Delivery>> Peek(FunctionsHost host, string queue)
    {
        var there = await host.Receive(queue);
        foreach (var d in there) await host.GiveBack(d);
        return there;
    }

    private sealed class Chunked(byte[] bytes) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(bytes).AsTask();
        protected override bool TryComputeLength(out long length) { length = 0; return false; }
    }
}
