using System.Collections.Concurrent;
using System.Text.Json;
using Cloud.Platform.Net;
using Microsoft.IdentityModel.Tokens;

namespace Cloud.Identity;

/// <summary>The keys with which OpenID issuers sign, from where their discovery documents say; remembered for a while.</summary>
internal sealed class IssuerKeys(TimeProvider clock)
{
    private static readonly OutboundLimits Limits = new(256 * 1024, TimeSpan.FromSeconds(10));
    // A key that isn't known may be new, but nobody makes us ask more often than this.
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10), Patience = TimeSpan.FromSeconds(30);

    private sealed record Known(IReadOnlyList<SecurityKey> Keys, DateTimeOffset At);

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <exception cref="OutboundException">They could not be had.</exception>
    public async ValueTask<IReadOnlyList<SecurityKey>> KeysOf(IOutbound outbound, string issuer, string? key, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (_known.TryGetValue(issuer, out var known) && now - known.At < (known.Keys.Any(k => k.KeyId == key) ? Fresh : Patience)) return known.Keys;
        try
        {
            using var discovered = await Get(outbound, issuer.TrimEnd('/') + "/.well-known/openid-configuration", ct);
            if (discovered.RootElement.GetProperty("issuer").GetString() != issuer) throw new OutboundException("its discovery document is another issuer's.");
            using var set = await Get(outbound, discovered.RootElement.GetProperty("jwks_uri").GetString() ?? "", ct);
            known = new([.. new JsonWebKeySet(set.RootElement.GetRawText()).GetSigningKeys()], now);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException) { throw new OutboundException("what it answers is no key set.", e); }
        _known[issuer] = known;
        return known.Keys;
    }

    private static async Task<JsonDocument> Get(IOutbound outbound, string url, CancellationToken ct)
    {
        await using var answer = await outbound.Get(url, Limits, ct);
        return await JsonDocument.ParseAsync(answer.Body, cancellationToken: ct);
    }
}
