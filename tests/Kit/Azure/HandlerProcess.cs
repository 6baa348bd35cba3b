using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloud.Tests.Kit;

/// <summary>The real executable as the Functions host starts it: it is given a port and asked until it answers, and from then on does what is sent there.</summary>
public sealed class HandlerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly Task<string> _output;

    private HandlerProcess(Process process, Uri address, Task<string> output)
    {
        (_process, _output) = (process, output);
        // Bytes of headers as they are: in UTF-8, as the handler writes and reads them.
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8, ResponseHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8, ActivityHeadersPropagator = null })
        {
            BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public bool HasExited => _process.HasExited;

    /// <param name="program">Cloud.Functions.</param>
    /// <exception cref="InvalidOperationException">It ended instead, or doesn't answer.</exception>
    public static async Task<HandlerProcess> Start(string program, string folder, IReadOnlyDictionary<string, string> environment)
    {
        var port = FreePorts.One();
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = folder };
        start.Environment[CustomHandler.Port] = port.ToString(CultureInfo.InvariantCulture);
        start.Environment["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"] = "worker";
        start.Environment["DOTNET_TieredPGO"] = "0"; // none lives long enough to profit from being measured
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var output = Task.WhenAll(process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync()).ContinueWith(t => string.Concat(t.Result), TaskScheduler.Default);
        var handler = new HandlerProcess(process, new($"http://127.0.0.1:{port}"), output);
        for (var tries = 0; ; tries++)
        {
            try { using var any = await handler._http.GetAsync("/"); return handler; }
            catch (HttpRequestException) when (tries < 1200 && !process.HasExited) { await Task.Delay(50); } // as the host does, for 60 s
            catch (HttpRequestException e)
            {
                handler.Kill();
                var said = await output;
                await handler.DisposeAsync();
                throw new InvalidOperationException("the handler did not start: " + said, e);
            }
        }
    }

    /// <param name="target">As it came.</param>
    public Uri At(string target) => new(_http.BaseAddress!.GetLeftPart(UriPartial.Authority) + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    /// <summary>Ends when the answer's headers are there.</summary>
    public Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken ct = default)
    {
        request.Headers.Add("X-Azure-Functions-InvocationId", "0f8fad5b-d9cb-469f-a165-70867728950e");
        request.Headers.Add("X-Azure-Functions-HostVersion", "4.1044.0");
        if (!request.Headers.Contains("User-Agent")) request.Headers.UserAgent.ParseAdd("Azure-Functions-Host/4.1044.0");
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
    }

    /// <summary>As somebody on the same machine could, past the host.</summary>
    public Task<HttpResponseMessage> Past(HttpRequestMessage request) => _http.SendAsync(request);

    /// <summary>Posts what the host posts; the invocation's status.</summary>
    public async Task<HttpStatusCode> Invoke(string function, JsonNode payload, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/" + function) { Content = JsonContent.Create(payload) };
        using var answer = await Send(request, ct);
        if (answer.IsSuccessStatusCode)
        {
            var result = await answer.Content.ReadFromJsonAsync<JsonElement>(ct);
            if (result.GetProperty("Outputs").ValueKind != JsonValueKind.Object || result.GetProperty("Logs").ValueKind != JsonValueKind.Array || !result.TryGetProperty("ReturnValue", out _))
                throw new InvalidOperationException($"{function} answered {result}");
        }
        return answer.StatusCode;
    }

    /// <summary>Whether it uses a library now.</summary>
    public bool Loaded(string library) => File.ReadLines($"/proc/{_process.Id}/maps").Any(l => l.EndsWith("/" + library, StringComparison.Ordinal));

    /// <summary>Ends it as the host does; what it had printed.</summary>
    public async Task<(int Exit, string Output)> Stop()
    {
        if (!_process.HasExited) _ = kill(_process.Id, 15);
        await _process.WaitForExitAsync().WaitAsync(Patience.Span);
        return (_process.ExitCode, await _output);
    }

    /// <summary>At once, whatever it is about.</summary>
    public void Kill()
    {
        try { _process.Kill(entireProcessTree: true); }
        catch (InvalidOperationException) { /* it had ended */ }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _process.Dispose();
        _http.Dispose();
    }

    [DllImport("libc")] private static extern int kill(int process, int signal);
}
