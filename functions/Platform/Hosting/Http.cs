using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform.Rest;
using Microsoft.AspNetCore.Http.Features;

namespace Cloud.Platform.Hosting;

/// <summary>Between the web server and the router.</summary>
public static class Http
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly PipeOptions Unbounded = new(pauseWriterThreshold: 0, useSynchronizationContext: false);

    public static async Task Serve(HttpContext http, Router router)
    {
        var raw = http.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var mark = raw.IndexOf('?', StringComparison.Ordinal);
        var query = new List<(string, string)>();
        foreach (var (key, values) in http.Request.Query)
            foreach (var value in values) query.Add((key, value ?? ""));
        var request = new Request(http.Request.Method, mark < 0 ? raw : raw[..mark], query,
            name => http.Request.Headers.TryGetValue(name, out var v) ? v.ToString() : null, http.Request.Body, $"{http.Request.Scheme}://{http.Request.Host}", http.RequestAborted)
        {
            HeaderNames = http.Request.Headers.Select(h => h.Key), Peer = http.Connection.RemoteIpAddress, Stopping = http.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping,
        };
        using var span = Tracing.Begin(http.Request.Method, ActivityKind.Server, request.Header("traceparent"));
        var reply = await router.Handle(request);
        span?.SetTag("http.request.method", http.Request.Method).SetTag("http.response.status_code", reply.Status);
        await Send(http, reply);
    }

    private static async Task Send(HttpContext http, Reply reply)
    {
        http.Response.StatusCode = reply.Status;
        foreach (var (name, value) in reply.Headers)
            if (value.Length > 0) http.Response.Headers.Append(name, value);
            else http.Response.Headers[name] = value; // Append leaves it out
        if (reply.Stream is { } stream)
        {
            await using (stream)
            {
                http.Response.ContentType = reply.ContentType;
                if (HttpMethods.IsHead(http.Request.Method)) return;
                await stream.CopyToAsync(http.Response.Body, 1 << 17, http.RequestAborted);
            }
            return;
        }
        if (reply.Json is null && reply.Text is null)
        {
            if (reply.Status is not (204 or 304) && !http.Response.Headers.ContainsKey("Content-Length")) http.Response.ContentLength = 0;
            return;
        }
        http.Response.ContentType = reply.ContentType;
        // A pipe grows by lent pieces: a long list neither leaves garbage nor is copied as it grows.
        var body = new Pipe(Unbounded);
        if (reply.Json is { } write)
        {
            await using var writer = new Utf8JsonWriter(body.Writer, Plain);
            write(writer);
        }
        else Encoding.UTF8.GetBytes(reply.Text!, body.Writer);
        http.Response.ContentLength = body.Writer.UnflushedBytes;
        await body.Writer.CompleteAsync();
        if (!HttpMethods.IsHead(http.Request.Method) && body.Reader.TryRead(out var all))
        {
            foreach (var piece in all.Buffer) http.Response.BodyWriter.Write(piece.Span);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        }
        await body.Reader.CompleteAsync();
    }
}
