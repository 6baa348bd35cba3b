using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Access;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>What a token says.</summary>
/// <param name="Kind">p project, d domain, s system, t trust and o OAuth (the scope is the trust's or access token's id), u unscoped; r is a receipt, no token.</param>
/// <param name="Era">The user's <see cref="User.Era"/> when it was issued.</param>
/// <param name="Origin">The identity provider and protocol by which he came, as <see cref="Protocols.KeyOf"/> has them; empty for none.</param>
public sealed record TokenClaims(string UserId, char Kind, string ScopeId, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, string Methods, string AuditId, string AppCredentialId, int Era, string Origin = "");

/// <summary>
/// Signed, not stored: HMAC-SHA256 over a few short fields. Roles are looked up when a token is used and kept for five seconds, so that
/// revoking, disabling and unassigning work everywhere within ten.
/// </summary>
public sealed class Tokens(IEntityStore store, TimeProvider clock) : ITokens
{
    private const string KeysPartition = "system", KeysKey = "token-keys", RevokedPartition = "revoked";
    private static readonly TimeSpan Remember = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Life = TimeSpan.FromHours(1), Rotation = TimeSpan.FromHours(12);

    private sealed record Key(int Id, byte[] Secret, DateTimeOffset MadeAt);

    private readonly ConcurrentDictionary<string, (Caller? Caller, DateTimeOffset Until)> _known = new(StringComparer.Ordinal);
    private readonly Remembered<(Key[] Keys, HashSet<string> Revoked)> _shared = new(clock, Remember, async () =>
        (await store.Get(KeysPartition, KeysKey) is { } row ? Json.Read<Key[]>(row.Body) : [], (await store.List(RevokedPartition, "", char.MaxValue.ToString())).Select(r => r.Key).ToHashSet()));

    /// <summary>What every answer to a token shows of the catalog.</summary>
    internal Remembered<Catalog.Stored> Catalog { get; } = new(clock, Remember, () => Identity.Catalog.Read(store));

    /// <summary>What is known of OpenID issuers.</summary>
    internal IssuerKeys Issuers { get; } = new(clock);

    public async ValueTask<string> Issue(TokenClaims claims)
    {
        var keys = (await _shared.Get()).Keys;
        if (keys.Length == 0 || clock.GetUtcNow() - keys[^1].MadeAt > Rotation) keys = await NewKey();
        var key = keys[^1];
        var text = string.Join('\n', claims.UserId, claims.Kind, claims.ScopeId, Seconds(claims.IssuedAt), Seconds(claims.ExpiresAt), claims.Methods, claims.AuditId, claims.AppCredentialId, claims.Era, claims.Origin);
        var payload = Encoding.UTF8.GetBytes(text);
        var packed = new byte[1 + payload.Length + 16];
        packed[0] = (byte)key.Id;
        payload.CopyTo(packed, 1);
        Sign(key, packed.AsSpan(0, 1 + payload.Length), packed.AsSpan(1 + payload.Length));
        return Base64Url.EncodeToString(packed);
    }

    public static DateTimeOffset DefaultExpiry(DateTimeOffset now) => now + Life;

    /// <summary>What a genuine, unexpired, unrevoked token says; else null.</summary>
    public async ValueTask<TokenClaims?> Read(string token)
    {
        if (token.Length is < 40 or > 512) return null;
        byte[] packed;
        try { packed = Base64Url.DecodeFromChars(token); }
        catch (FormatException) { return null; }
        if (packed.Length < 20) return null;
        var shared = await _shared.Get();
        var key = Array.Find(shared.Keys, k => k.Id == packed[0]);
        if (key is null) return null;
        Span<byte> mac = stackalloc byte[16];
        Sign(key, packed.AsSpan(0, packed.Length - 16), mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, packed.AsSpan(packed.Length - 16))) return null;
        var parts = Encoding.UTF8.GetString(packed.AsSpan(1, packed.Length - 17)).Split('\n');
        if (parts.Length != 10) return null;
        var claims = new TokenClaims(parts[0], parts[1][0], parts[2], Time(parts[3]), Time(parts[4]), parts[5], parts[6], parts[7], int.Parse(parts[8], System.Globalization.CultureInfo.InvariantCulture), parts[9]);
        return claims.ExpiresAt > clock.GetUtcNow() && !shared.Revoked.Contains(claims.AuditId) ? claims : null;
    }

    public async ValueTask<Caller?> Verify(string token, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (_known.TryGetValue(token, out var known) && known.Until > now) return known.Caller;
        var caller = await Read(token) is { } claims ? await Callers.Of(store, claims) : null;
        if (_known.Count > 10_000) _known.Clear();
        if (caller is not null) _known[token] = (caller, caller.ExpiresAt < now + Remember ? caller.ExpiresAt : now + Remember);
        return caller;
    }

    /// <summary>Voids one token everywhere.</summary>
    public async ValueTask Revoke(TokenClaims claims)
    {
        await store.Commit(RevokedPartition, [new Op.Upsert(claims.AuditId, Encoding.UTF8.GetBytes(Seconds(claims.ExpiresAt)))]);
        Forget();
    }

    /// <summary>What this process remembers is asked anew: a grant, user, project or the catalog has changed.</summary>
    public void Forget()
    {
        _known.Clear();
        _shared.Forget();
        Catalog.Forget();
    }

    /// <summary>Revocations of tokens that have expired anyway are of no use.</summary>
    public async Task Sweep(CancellationToken ct)
    {
        foreach (var row in await store.List(RevokedPartition, "", char.MaxValue.ToString(), ct: ct))
            if (Time(Encoding.UTF8.GetString(row.Body.Span)) < clock.GetUtcNow()) await store.Commit(RevokedPartition, [new Op.Delete(row.Key)], ct: ct);
    }

    // The old key stays as long as tokens signed with it can live.
    private async ValueTask<Key[]> NewKey()
    {
        while (true)
        {
            var row = await store.Get(KeysPartition, KeysKey);
            var old = row is null ? [] : Json.Read<Key[]>(row.Body);
            var now = clock.GetUtcNow();
            if (old.Length > 0 && now - old[^1].MadeAt <= Rotation) return old;
            Key[] keys = [.. old.Where(k => now - k.MadeAt < Rotation * 3), new(((old.Length > 0 ? old[^1].Id : 0) + 1) % 256, RandomNumberGenerator.GetBytes(32), now)];
            try
            {
                await store.Commit(KeysPartition, [row is null ? new Op.Insert(KeysKey, Json.Write(keys)) : new Op.Replace(KeysKey, Json.Write(keys), row.ETag)]);
                _shared.Forget();
                return keys;
            }
            catch (ConflictException) { /* another process made one */ }
        }
    }

    private static void Sign(Key key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[32];
        HMACSHA256.HashData(key.Secret, data, full);
        full[..16].CopyTo(mac);
    }

    private static string Seconds(DateTimeOffset t) => t.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
    private static DateTimeOffset Time(string seconds) => DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture));
}
