using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Bus;

namespace Cloud.Platform.Hosting;

/// <summary>
/// Lets whoever plays the Functions host get at a bus that lives in this process's own file. On Azure the host reads Service Bus and this door doesn't exist.
/// <c>POST /-/bus/QUEUE/receive|complete|abandon|send</c> with the key of the state directory; bodies are a <see cref="Delivery"/> or a <see cref="Message"/> as JSON.
/// </summary>
public sealed class BusDoor(IBus bus, string key)
{
    public const string Path = "/-/bus/";
    public const string Header = "X-Bus-Key";
    private static readonly TimeSpan LockFor = TimeSpan.FromMinutes(5);

    public async Task Serve(HttpContext http)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers[Header].ToString()), Encoding.UTF8.GetBytes(key))) { http.Response.StatusCode = 401; return; }
        if (http.Request.Path.Value![Path.Length..].Split('/') is not [var queue, var verb]) { http.Response.StatusCode = 404; return; }
        var ct = http.RequestAborted;
        switch (verb)
        {
            case "receive":
                await http.Response.WriteAsJsonAsync(await bus.Receive(queue, 32, LockFor, TimeSpan.Zero, ct), ct);
                return;
            case "send":
                await bus.Send([(await Body<Message>(http))! with { Queue = queue }], ct);
                break;
            case "complete" or "abandon":
                var delivery = (await Body<Delivery>(http))!;
                if (!(verb == "complete" ? await bus.Complete(delivery, ct) : await bus.Abandon(delivery, TimeSpan.Zero, ct))) { http.Response.StatusCode = 409; return; }
                break;
            default:
                http.Response.StatusCode = 404;
                return;
        }
        http.Response.StatusCode = 204;
    }

    private static ValueTask<T?> Body<T>(HttpContext http) => JsonSerializer.DeserializeAsync<T>(http.Request.Body, JsonSerializerOptions.Web, http.RequestAborted);
}
