using System.Text;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Events;

/// <summary>Hearing of events as they happen: long poll and server-sent events.</summary>
public sealed class WaitingTests
{
    private const string Things = "/events/v1/events?type=cloud.serverless.test.*";

    private static async Task<Stream> Follow(TestCloud cloud, string query = "", params (string, string)[] headers)
    {
        var token = await cloud.Token("demo");
        var all = headers.Append(("Accept", "text/event-stream")).Append(("X-Auth-Token", token)).ToDictionary(h => h.Item1, h => h.Item2, StringComparer.OrdinalIgnoreCase);
        var reply = await cloud.Router.Handle(new Request("GET", "/events/v1/events", [.. query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(q => (q.Split('=')[0], q.Split('=')[1]))], name => all.GetValueOrDefault(name), Stream.Null, "http://cloud"));
        Assert.Equal((200, "text/event-stream"), (reply.Status, reply.ContentType));
        Assert.StartsWith(": ", await Read(reply.Stream!), StringComparison.Ordinal);
        return reply.Stream!;
    }

    private static async Task<string> Read(Stream stream)
    {
        var buffer = new byte[1 << 16];
        return Encoding.UTF8.GetString(buffer, 0, await stream.ReadAsync(buffer));
    }

    [Fact]
    public async Task Who_waits_gets_the_first_event_at_once()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var waiting = cloud.Send("GET", Things + "&wait=30&cursor=now", user: "demo");
        Assert.False(waiting.IsCompleted);
        await receiver.Emit("cloud.serverless.other.port.created", ["e0 a"]);
        Assert.False(waiting.IsCompleted); // not what he asked for
        await receiver.Emit("e1 a");
        var answer = await waiting.WaitAsync(Patience.Span);
        Assert.Equal("e1", Assert.Single(answer.Body.EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal("e1", Assert.Single((await cloud.Send("GET", Things + "&wait=30", user: "demo")).Body.EnumerateArray()).GetProperty("id").GetString()); // no waiting for what is there
    }

    [Fact]
    public async Task Who_waits_in_vain_gets_an_empty_answer_whose_cursor_is_good()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var waiting = cloud.Send("GET", Things + "&wait=5&cursor=now", user: "demo");
        cloud.Clock.Advance(TimeSpan.FromSeconds(6));
        var answer = await waiting.WaitAsync(Patience.Span);
        Assert.Empty(answer.Body.EnumerateArray());
        await receiver.Emit("e1 a");
        Assert.Single((await cloud.Send("GET", $"{Things}&cursor={answer.Headers["Events-Cursor"]}", user: "demo")).Body.EnumerateArray());
    }

    [Fact]
    public async Task Waiting_reads_nothing_from_the_store()
    {
        await using var origin = await TestCloud.Start(0);
        CountingStore? counting = null;
        await using var cloud = origin.Copy(wrap: s => counting = new(s));
        await cloud.Token("demo");
        var waiting = cloud.Send("GET", Things + "&wait=60&cursor=now", user: "demo");
        var before = counting!.Reads;
        for (var i = 0; i < 59; i++) cloud.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(before, counting.Reads);
        cloud.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(200, (await waiting.WaitAsync(Patience.Span)).Status);
    }

    [Theory]
    [InlineData("wait=61")]
    [InlineData("wait=-1")]
    [InlineData("wait=x")]
    public async Task A_bad_wait_is_refused(string query)
    {
        await using var cloud = await TestCloud.Start(0);
        Assert.Equal(400, (await cloud.Send("GET", "/events/v1/events?" + query, user: "demo")).Status);
    }

    [Fact]
    public async Task Only_so_many_of_a_project_wait_and_others_are_not_concerned()
    {
        await using var cloud = await TestCloud.Start(0);
        var waiting = Enumerable.Range(0, 100).Select(_ => cloud.Send("GET", Things + "&wait=30&cursor=now", user: "demo")).ToList();
        var more = await cloud.Send("GET", Things + "&wait=30&cursor=now", user: "demo");
        Assert.Equal((429, "10"), (more.Status, more.Headers["Retry-After"]));
        var other = cloud.Send("GET", Things + "&wait=30&cursor=now", user: "admin");
        Assert.False(other.IsCompleted);
        cloud.Clock.Advance(TimeSpan.FromSeconds(31));
        await Task.WhenAll(waiting).WaitAsync(Patience.Span);
        Assert.Equal(200, (await other.WaitAsync(Patience.Span)).Status);
        Assert.Equal(200, (await cloud.Send("GET", Things + "&wait=0", user: "demo")).Status);
    }

    [Fact]
    public async Task A_stream_shows_what_happens_and_goes_on_after_a_break()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var stream = await Follow(cloud, "cursor=now&type=cloud.serverless.test.*");
        var next = Read(stream);
        await receiver.Emit("e1 a");
        var text = await next.WaitAsync(Patience.Span);
        var lines = text.Split('\n');
        Assert.Matches("^id: [0-9]{16}$", lines[0]);
        Assert.Equal("event: cloud.serverless.test.thing.updated", lines[1]);
        Assert.StartsWith("data: {", lines[2], StringComparison.Ordinal);
        Assert.Contains("\"e1\"", lines[2], StringComparison.Ordinal);
        Assert.DoesNotContain("operator", lines[2], StringComparison.Ordinal);
        await stream.DisposeAsync();
        await receiver.Emit("e2 a", "e3 b");
        var again = await Read(await Follow(cloud, "type=cloud.serverless.test.*", ("Last-Event-ID", lines[0]["id: ".Length..])));
        Assert.Equal(2, again.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("\"e2\"", again, StringComparison.Ordinal);
        Assert.Contains("\"e3\"", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_silence_it_says_where_it_is_and_it_ends_with_its_token()
    {
        await using var cloud = await TestCloud.Start(0);
        var stream = await Follow(cloud, "cursor=now");
        var next = Read(stream);
        cloud.Clock.Advance(TimeSpan.FromSeconds(16));
        Assert.Matches("^: nothing new\nid: [0-9]{16}\n\n$", await next.WaitAsync(Patience.Span));
        await cloud.Send("DELETE", "/identity/v3/auth/tokens", user: "demo", headers: ("X-Subject-Token", await cloud.Token("demo")));
        next = Read(stream);
        cloud.Clock.Advance(TimeSpan.FromSeconds(16));
        await next.WaitAsync(Patience.Span);
        Assert.Equal("", await Read(stream));
    }
}
