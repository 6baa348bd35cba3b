using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Platform.Agents;

/// <summary>Each host's own secret, of which only the hash is kept. It opens the host's queue, the replies queue and the images, nothing else.</summary>
public static class HostKeys
{
    private static string Key(string host) => "host-key|" + Keys.Safe(host);

    /// <summary>A new secret for this host; an older one is void.</summary>
    public static async ValueTask<string> Make(IEntityStore store, string host)
    {
        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await store.Commit(Hosts.Partition, [new Op.Upsert(Key(host), SHA256.HashData(Encoding.UTF8.GetBytes(secret)))]);
        return secret;
    }

    /// <summary>The host gets in no more; a line that is open stays so until it breaks.</summary>
    public static ValueTask Void(IEntityStore store, string host) => store.Commit(Hosts.Partition, [new Op.Delete(Key(host))]);

    public static async ValueTask<bool> Check(IEntityStore store, string host, string secret) =>
        await store.Get(Hosts.Partition, Key(host)) is { } row && CryptographicOperations.FixedTimeEquals(row.Body.Span, SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <exception cref="Fault">401 unless the request carries a host's credential.</exception>
    public static async ValueTask<string> Require(Call c)
    {
        if (c.Header("X-Host") is { } host && c.Header("X-Host-Credential") is { } secret && await Check(c.Store, host, secret)) return host;
        throw new Fault(401, "The request you have made requires authentication.");
    }
}
