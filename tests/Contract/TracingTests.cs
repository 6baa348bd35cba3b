using System.Diagnostics;
using Cloud.Agents.Contract;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>A request's trace goes with its saga and its commands to the hosts, however often either was written down in between.</summary>
public sealed class TracingTests
{
    [Fact]
    public async Task What_a_request_sets_going_is_one_trace()
    {
        using var watched = new WatchedTrace();
        var (trace, spans) = (watched.Trace, watched.Spans);
        var stage = new Stage(await TestCloud.Start(), []);
        await stage.Net();
        await stage.Image();
        var commands = new List<CommandMessage>();
        stage.Cloud.Line = (host, m) =>
        {
            commands.Add(m);
            return [host.Handle(m)!];
        };

        using (Tracing.Begin("POST", ActivityKind.Server, $"00-{trace}-00f067aa0ba902b7-01")) await stage.Server();
        await stage.Cloud.Drain();

        var request = Assert.Single(spans, s => s.Kind == ActivityKind.Server);
        Assert.Equal("POST /compute/v2.1/servers", request.DisplayName);
        var turns = spans.Where(s => s.Kind == ActivityKind.Consumer).ToList();
        Assert.Contains(turns, t => t.DisplayName.StartsWith("server-create-", StringComparison.Ordinal) && t.ParentSpanId == request.SpanId);
        var command = Assert.Single(commands, c => c.Command is EnsureDomain);
        Assert.True(ActivityContext.TryParse(command.Trace, null, out var context));
        Assert.Equal(trace, context.TraceId);
        Assert.Contains(turns, t => t.SpanId == context.SpanId);
        Assert.DoesNotContain(spans.SelectMany(s => s.Tags), t => t.Value?.Contains("secret", StringComparison.OrdinalIgnoreCase) == true);
    }

    [Fact]
    public async Task Without_anybody_who_listens_nothing_is_written_down()
    {
        Assert.Null(Tracing.Export("a", _ => null));
        Assert.Null(Tracing.Export("a", _ => ""));
        var stage = new Stage(await TestCloud.Start(), []);
        var traced = new List<string?>();
        stage.Cloud.Line = (host, m) =>
        {
            traced.Add(m.Trace);
            return [host.Handle(m)!];
        };
        await stage.Net();
        await stage.Port("port");
        await stage.Cloud.Drain();
        Assert.All(traced, Assert.Null);
    }
}
