namespace Cloud.Platform.Net;

/// <summary>Requests to addresses that tenants name: image downloads, webhooks. What is internal can't be reached through it.</summary>
public interface IOutbound
{
    /// <summary>Fetches with GET, follows up to three redirects. The stream ends with <see cref="OutboundException"/> where a limit is passed.</summary>
    /// <exception cref="OutboundException">It is not allowed, or could not be had.</exception>
    Task<Download> Get(string url, OutboundLimits limits, CancellationToken ct = default);

    /// <summary>Posts and tells the status. Redirects are not followed, the answer's body is of no interest.</summary>
    /// <param name="headers">Ours, never the tenant's; there is no way to send credentials.</param>
    /// <exception cref="OutboundException">It is not allowed, or got no answer.</exception>
    Task<int> Post(string url, ReadOnlyMemory<byte> body, string contentType, IReadOnlyList<(string Name, string Value)> headers, OutboundLimits limits, CancellationToken ct = default);

    /// <summary>Sends bytes, or asks for headers alone: PUT, DELETE, HEAD. As with <see cref="Post"/>, and headers may hold what a tenant gave for that very server.</summary>
    /// <exception cref="OutboundException">It is not allowed, or got no answer.</exception>
    Task<OutboundAnswer> Send(HttpMethod method, string url, OutboundBody? body, IReadOnlyList<(string Name, string Value)> headers, OutboundLimits limits, CancellationToken ct = default);

    /// <summary>Looks at a URL before it is stored, without a packet: scheme, form, literal addresses.</summary>
    /// <exception cref="OutboundException">It will never be allowed.</exception>
    Uri Check(string url);
}

/// <param name="MaxBytes">Of the answer's body.</param>
/// <param name="Total">Until the last byte.</param>
/// <param name="MinBytesPerSecond">On average, from the tenth second on.</param>
public sealed record OutboundLimits(long MaxBytes, TimeSpan Total, int MinBytesPerSecond = 1024)
{
    public static readonly OutboundLimits Notification = new(64 * 1024, TimeSpan.FromSeconds(15));
}

/// <param name="Length">It has neither more nor less.</param>
public sealed record OutboundBody(Stream Bytes, long Length);

public sealed record OutboundAnswer(int Status, Func<string, string?> Header);

/// <param name="Length">What was announced, or null.</param>
public sealed record Download(Stream Body, long? Length) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Body.DisposeAsync();
}

/// <summary>The text may be shown. It is one and the same for a port that is closed, filtered or speaks something else and for a name that is unknown or internal.</summary>
public sealed class OutboundException(string message, Exception? inner = null) : IOException(message, inner)
{
    public static OutboundException Unreachable(Exception? inner = null) => new("The URL could not be fetched.", inner);
    public static OutboundException Refused(string why) => new("The URL is not allowed: " + why);
}
