using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Cloud.Platform.Bus;
using Microsoft.AspNetCore.Http.Features;

namespace Cloud.Platform.Hosting;

/// <summary>
/// One call of the Functions host for a trigger that isn't HTTP: it posts <c>{"Data": ..., "Metadata": ...}</c> to the function's name.
/// 200 means done; anything else is a failed invocation, for which the host abandons the message.
/// </summary>
public static class Invocation
{
    private const int MaxPayload = 2 * 1024 * 1024;
    private static ReadOnlySpan<byte> Done => "{\"Outputs\":{},\"Logs\":[],\"ReturnValue\":null}"u8;

    [SuppressMessage("Design", "CA1031", Justification = "whatever goes wrong is told to the host, which tries again")]
    public static async Task Serve(HttpContext http, Services s, Trigger trigger, ILogger log)
    {
        Delivery? delivery = null;
        try
        {
            if (trigger is QueueTrigger queue)
            {
                http.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = MaxPayload;
                using var payload = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
                delivery = Read(queue, payload.RootElement, s.Now);
                // From here on whatever can't be read is our own.
                await queue.Handle(s, delivery, http.RequestAborted);
            }
            else await ((TimerTrigger)trigger).Run(s, http.RequestAborted);
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = Done.Length;
            await http.Response.BodyWriter.WriteAsync(Done.ToArray(), http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested) { /* the host hung up: to it that is a failure */ }
        catch (Exception e) when (delivery is null && trigger is QueueTrigger && (e is JsonException or FormatException))
        {
            log.LogError("{Function}: what the host sent can't be read", trigger.Name);
            http.Response.StatusCode = 400;
        }
        catch (Exception e)
        {
            log.LogWarning(e, "{Function} {Invocation}, attempt {Attempt}", trigger.Name, http.Request.Headers["X-Azure-Functions-InvocationId"].ToString(), delivery?.Attempt ?? 1);
            if (delivery is not null) await BeforeRetry(s, delivery, http.RequestAborted);
            http.Response.StatusCode = 500;
        }
    }

    /// <summary>Service Bus gives an abandoned message out again at once and counts to ten, so the pause is made before the answer, under the lock.</summary>
    private static async Task BeforeRetry(Services s, Delivery delivery, CancellationToken ct)
    {
        try
        {
            if (delivery.Attempt >= Local.QueueEngine.MaxAttempts) await Pump.GivenUp(s, delivery);
        }
        catch (State.StoreUnavailableException) { /* the log has it */ }
        await Task.Delay(Pump.Pause(delivery.Attempt), s.Clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <exception cref="FormatException">It isn't what the host is documented to send.</exception>
    public static Delivery Read(QueueTrigger trigger, JsonElement payload, DateTimeOffset now)
    {
        if (payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty("Data", out var data) || !payload.TryGetProperty("Metadata", out var metadata)
            || data.ValueKind != JsonValueKind.Object || metadata.ValueKind != JsonValueKind.Object
            || !data.TryGetProperty(FunctionJson.Message, out var message) || !message.TryGetBytesFromBase64(out var body)) throw new FormatException("no message");
        var id = Text(metadata, "MessageId") ?? throw new FormatException("no MessageId");
        var attempt = int.TryParse(Text(metadata, "DeliveryCount"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? Math.Max(1, n) : 1;
        return new(new(trigger.Queue, id, body, Text(metadata, "SessionId")), attempt, Text(metadata, "LockToken") ?? "", now);
    }

    /// <summary>The host writes metadata as JSON within JSON strings, except what already was an object: <c>"DeliveryCount": "1", "MessageId": "\"abc\""</c>.</summary>
    private static string? Text(JsonElement metadata, string name)
    {
        if (!metadata.TryGetProperty(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number) return value.GetRawText();
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } text) return null;
        return text[0] != '"' ? text == "null" ? null : text : JsonSerializer.Deserialize<string>(text);
    }
}
