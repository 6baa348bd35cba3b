using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>A request signed as https://www.rfc-editor.org/rfc/rfc5849 has it: HMAC-SHA1, parameters in the Authorization header.</summary>
internal sealed class OAuthSigned
{
    private const string Nonces = "oauth-nonces";
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);

    private readonly List<(string Name, string Value)> _parameters = [];

    /// <exception cref="Fault">400 when it isn't one.</exception>
    public static OAuthSigned Read(Call c)
    {
        if (!AuthenticationHeaderValue.TryParse(c.Header("Authorization"), out var header) || header.Scheme != "OAuth" || header.Parameter is null) throw Fault.BadRequest("The request isn't signed: an Authorization header of the scheme OAuth is wanted.");
        var signed = new OAuthSigned();
        foreach (var part in header.Parameter.Split(',', StringSplitOptions.TrimEntries))
            if (part.Split('=', 2) is [var name, ['"', .., '"'] value]) signed._parameters.Add((Uri.UnescapeDataString(name), Uri.UnescapeDataString(value[1..^1])));
        return signed;
    }

    /// <exception cref="Fault">400 when it isn't there, or is there twice.</exception>
    public string this[string name] => _parameters.Where(p => p.Name == name).ToList() is [var one] ? one.Value : throw Fault.BadRequest($"Invalid input for field '{name}': it must be in the Authorization header once.");

    /// <summary>Whether these secrets signed this request, and it comes for the first time.</summary>
    /// <exception cref="Fault">401.</exception>
    public async ValueTask Verify(Call c, string consumerSecret, string tokenSecret)
    {
        if (this["oauth_signature_method"] != "HMAC-SHA1" || !long.TryParse(this["oauth_timestamp"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || Math.Abs(c.Now.ToUnixTimeSeconds() - seconds) > Fresh.TotalSeconds) throw Proofs.Denied();
        var given = Encoding.UTF8.GetBytes(this["oauth_signature"]);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Signature(ToSign(c), $"{Encoded(consumerSecret)}&{Encoded(tokenSecret)}")), given)) throw Proofs.Denied();
        try { await c.Store.Commit(Nonces, [new Op.Insert(Key(seconds) + Passwords.Fingerprint($"{this["oauth_consumer_key"]}\n{this["oauth_nonce"]}"), Array.Empty<byte>())], ct: c.Cancelled); }
        catch (ConflictException) { throw Proofs.Denied("the request was seen before"); }
    }

    /// <summary>Forgets what is too old to be sent again.</summary>
    public static async Task Sweep(Services s, CancellationToken ct)
    {
        foreach (var row in await s.Store.List(Nonces, "", Key((s.Now - 2 * Fresh).ToUnixTimeSeconds()), ct: ct)) await s.Store.Commit(Nonces, [new Op.Delete(row.Key)], ct: ct);
    }

    private string ToSign(Call c)
    {
        var pairs = _parameters.Where(p => p.Name is not ("realm" or "oauth_signature")).Concat(c.Query).Select(p => (Name: Encoded(p.Item1), Value: Encoded(p.Item2)));
        var inOrder = pairs.OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal).Select(p => $"{p.Name}={p.Value}");
        return $"{c.Method}&{Encoded(c.BaseUrl + c.Path)}&{Encoded(string.Join('&', inOrder))}";
    }

    [SuppressMessage("Security", "CA5350", Justification = "the method says so")]
    private static string Signature(string text, string key) => Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text)));

    private static string Key(long seconds) => seconds.ToString("D12", CultureInfo.InvariantCulture) + "|";
    private static string Encoded(string text) => Uri.EscapeDataString(text);
}
