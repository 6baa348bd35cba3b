using Cloud.Platform.Net;

namespace Cloud.Events.Webhooks;

/// <summary>
/// Signs with each live key, so that a receiver that knows either is content, and names them: see <see cref="WebhookSignature"/>. docs/webhooks.md shows how to
/// verify one.
/// </summary>
public static class Signature
{
    public static SigningKey NewKey(string id, DateTimeOffset now) => new(id, WebhookSignature.NewSecret(), now);

    /// <param name="id">The same however often it is sent.</param>
    public static IReadOnlyList<(string Name, string Value)> Headers(IReadOnlyList<SigningKey> keys, string id, DateTimeOffset now, ReadOnlySpan<byte> body) =>
        [.. WebhookSignature.Headers([.. keys.Select(k => k.Secret)], id, now, body), ("webhook-key-id", string.Join(' ', keys.Select(k => k.Id)))];
}
