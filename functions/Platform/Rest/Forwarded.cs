using System.Net;
using System.Text.RegularExpressions;

namespace Cloud.Platform.Rest;

/// <summary>
/// What proxies say of a request that they pass on: Forwarded (RFC 7239), or X-Forwarded-For, -Proto and -Host. Anybody can write such headers, so they are believed
/// only from the addresses that the operator names, and from the nearest one backwards: what is left of the first stranger, he may have made up.
/// </summary>
public static partial class Forwarded
{
    private sealed record Hop(string? For, string? Proto, string? Host);

    /// <summary>The request as it reached the outermost proxy that is believed.</summary>
    public static Request Believed(Request request, IReadOnlyList<IPNetwork> trusted)
    {
        if (trusted.Count == 0) return request;
        foreach (var hop in Hops(request).Reverse())
        {
            if (request.Peer is not { } peer || !trusted.Any(n => n.Contains(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer))) break;
            var (scheme, host) = request.Root.Split("://") is [var s, var h] ? (s, h) : ("http", request.Root);
            request = request with
            {
                Root = $"{(hop.Proto is "http" or "https" ? hop.Proto : scheme)}://{(hop.Host is { } named && HostForm().IsMatch(named) ? named : host)}",
                Peer = hop.For is null ? peer : Address(hop.For),
            };
            if (hop.For is null) break; // who was before is not told
        }
        return request;
    }

    private static IEnumerable<Hop> Hops(Request request)
    {
        if (request.Header("Forwarded") is { Length: > 0 } standard) return standard.Split(',').Select(Standard);
        string[] Of(string name) => (request.Header(name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var (peers, protos, hosts) = (Of("X-Forwarded-For"), Of("X-Forwarded-Proto"), Of("X-Forwarded-Host"));
        var count = Math.Max(peers.Length, Math.Max(protos.Length, hosts.Length));
        // The last of each is the nearest proxy's.
        string? At(string[] all, int i) => i - (count - all.Length) is >= 0 and var n ? all[n] : null;
        return Enumerable.Range(0, count).Select(i => new Hop(At(peers, i), At(protos, i), At(hosts, i)));
    }

    private static Hop Standard(string element)
    {
        string? Part(string name) => element.Split(';').Select(p => p.Split('=', 2)).Where(p => p.Length == 2 && p[0].Trim().Equals(name, StringComparison.OrdinalIgnoreCase)).Select(p => p[1].Trim().Trim('"')).FirstOrDefault();
        return new(Part("for"), Part("proto")?.ToLowerInvariant(), Part("host"));
    }

    /// <summary>Without the port; null for what is hidden or unknown.</summary>
    private static IPAddress? Address(string node) => IPEndPoint.TryParse(node, out var point) ? point.Address : null;

    [GeneratedRegex(@"^[A-Za-z0-9.:\[\]-]{1,255}\z")] private static partial Regex HostForm();
}
