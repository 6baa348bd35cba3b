using System.Net;
using Cloud.Platform.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cloud.Tests.Kit;

/// <summary>
/// The Functions host's front towards clients, with proxying (<c>enableProxyingHttpRequest</c>): a request whose path is some function's goes to an instance as it is,
/// its bytes as they come, and so does the answer. An instance that is gone before it answered is a 502.
/// </summary>
public sealed class FunctionsFront(FunctionList functions, HandlerPool pool, IPEndPoint listen) : IAsyncDisposable
{
    // Of one line between two programs.
    private static readonly HashSet<string> s_hop = new(["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Host"], StringComparer.OrdinalIgnoreCase);

    private WebApplication? _web;

    public async Task Start()
    {
        _web = WebServer.Build(AppContext.BaseDirectory, listen);
        _web.Run(Serve);
        await _web.StartAsync();
    }

    private async Task Serve(HttpContext http)
    {
        if (!functions.Serves(http.Features.Get<IHttpRequestFeature>()!.RawTarget)) { http.Response.StatusCode = 404; return; }
        try { await pool.Run(handler => Forward(http, handler), http.RequestAborted); }
        catch (OperationCanceledException) { http.Abort(); } // nobody listens, or we stop
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            if (http.Response.HasStarted) http.Abort();
            else
            {
                http.Response.Clear();
                http.Response.StatusCode = 502;
            }
        }
    }

    private static async Task<bool> Forward(HttpContext http, HandlerProcess handler)
    {
        using var request = new HttpRequestMessage(new(http.Request.Method), handler.At(http.Features.Get<IHttpRequestFeature>()!.RawTarget));
        if (http.Features.Get<IHttpRequestBodyDetectionFeature>()!.CanHaveBody) request.Content = new StreamContent(http.Request.Body);
        else if (http.Request.ContentLength is not null || http.Request.ContentType is not null) request.Content = new ByteArrayContent([]);
        request.Headers.Host = http.Request.Headers.Host;
        foreach (var (name, values) in http.Request.Headers)
            if (!s_hop.Contains(name) && !request.Headers.TryAddWithoutValidation(name, values.AsEnumerable())) request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", http.Request.Scheme);

        using var answer = await handler.Send(request, http.RequestAborted);
        http.Response.StatusCode = (int)answer.StatusCode;
        http.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = answer.ReasonPhrase;
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
            if (!s_hop.Contains(name)) http.Response.Headers[name] = values.ToArray();
        await answer.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_web is null) return;
        await _web.StopAsync();
        await _web.DisposeAsync();
    }
}
