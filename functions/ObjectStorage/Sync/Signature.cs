using System.Security.Cryptography;
using System.Text;

namespace Cloud.ObjectStorage.Sync;

/// <summary>What a request between clusters of a realm is signed with: the operators' key of the realm, and among what is signed the key of both containers' owners.</summary>
internal static class Signature
{
    public const string Header = "X-Container-Sync-Auth";

    /// <param name="path">Percent-encoded, as it is sent.</param>
    /// <param name="stamp">X-Timestamp, as it is sent.</param>
#pragma warning disable CA5350 // Swift's clusters sign with SHA-1, which HMAC makes no weaker than its key
    public static string Of(string realmKey, string method, string path, string stamp, string nonce, string key) =>
        Convert.ToHexStringLower(HMACSHA1.HashData(Encoding.UTF8.GetBytes(realmKey), Encoding.UTF8.GetBytes($"{method}\n{path}\n{stamp}\n{nonce}\n{key}")));
#pragma warning restore CA5350

    public static bool Same(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
