using System.Net;
using System.Text;
using System.Threading.Channels;
using Google.Protobuf;

namespace Cloud.Tests.Kit;

/// <param name="Parent">Empty for the first of a trace.</param>
public sealed record ReceivedSpan(string Trace, string Id, string Parent, string Name);

/// <summary>Takes OpenTelemetry's protocol by HTTP, as collectors do, and reads of it what tests ask for (opentelemetry/proto/trace/v1/trace.proto, metrics.proto).</summary>
public sealed class OtlpCollector : IDisposable
{
    private readonly HttpListener _http = new();
    private readonly List<byte[]> _bodies = [];
    private readonly List<string> _metrics = [];
    private readonly List<ReceivedSpan> _spans = [];
    private readonly Channel<ReceivedSpan> _coming = Channel.CreateUnbounded<ReceivedSpan>();

    public string Url { get; } = $"http://{CloudCommand.FreeAddress()}/";

    /// <summary>Lets a program send here, without delay.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Url, ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf", ["OTEL_BSP_SCHEDULE_DELAY"] = "20" };
    public IReadOnlyList<ReceivedSpan> Spans { get { lock (_bodies) return [.. _spans]; } }
    public IReadOnlyList<string> Metrics { get { lock (_bodies) return [.. _metrics]; } }
    /// <summary>All that came, as text: names and values are in it letter for letter.</summary>
    public string Everything { get { lock (_bodies) return string.Concat(_bodies.Select(Encoding.Latin1.GetString)); } }

    public OtlpCollector()
    {
        _http.Prefixes.Add(Url);
        _http.Start();
        _ = Serve();
    }

    /// <summary>The next span that fits.</summary>
    public async Task<ReceivedSpan> Next(Func<ReceivedSpan, bool> fits)
    {
        using var patience = new CancellationTokenSource(Patience.Span);
        await foreach (var span in _coming.Reader.ReadAllAsync(patience.Token))
            if (fits(span)) return span;
        throw new InvalidOperationException("no more spans come");
    }

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var call = await _http.GetContextAsync();
                using var body = new MemoryStream();
                await call.Request.InputStream.CopyToAsync(body);
                Take(call.Request.Url!.AbsolutePath, body.ToArray());
                call.Response.ContentType = "application/x-protobuf";
                call.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { /* the end */ }
    }

    private void Take(string path, byte[] body)
    {
        lock (_bodies)
        {
            _bodies.Add(body);
            // resource_spans.scope_spans.spans and resource_metrics.scope_metrics.metrics: each the second field of its message, but for the first.
            foreach (var one in Fields(body, 1).SelectMany(r => Fields(r, 2)).SelectMany(s => Fields(s, 2)))
                if (path.EndsWith("/metrics", StringComparison.Ordinal)) _metrics.Add(Encoding.UTF8.GetString(Fields(one, 1)[0]));
                else
                {
                    var span = new ReceivedSpan(Hex(one, 1), Hex(one, 2), Hex(one, 4), Encoding.UTF8.GetString(Fields(one, 5)[0]));
                    _spans.Add(span);
                    _coming.Writer.TryWrite(span);
                }
        }
    }

    private static string Hex(byte[] message, int field) => Fields(message, field) is [var bytes, ..] ? Convert.ToHexStringLower(bytes) : "";

    /// <summary>Those of a message's fields with this number that are messages, texts or bytes.</summary>
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var (input, found) = (new CodedInputStream(message), new List<byte[]>());
        while (input.ReadTag() is var tag and not 0)
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited) found.Add(input.ReadBytes().ToByteArray());
            else input.SkipLastField();
        return found;
    }

    public void Dispose() => _http.Close();
}
