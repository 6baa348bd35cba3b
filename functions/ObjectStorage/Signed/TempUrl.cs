using System.Globalization;
using System.Net;
using Cloud.ObjectStorage.Manifests;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Signed;

/// <summary>Temporary addresses: whoever has one may do one thing with one object, or all objects of a prefix, until it expires.</summary>
internal static class TempUrl
{
    private const string Sig = "temp_url_sig", Until = "temp_url_expires", Prefix = "temp_url_prefix", From = "temp_url_ip_range";

    public static bool Is(Call c) => c.First(Sig) is not null || c.First(Until) is not null;

    /// <summary>Whether the request's address opens a place: the one that it names, and for reading those that this one refers to.</summary>
    public static async ValueTask<bool> Opens(Call c, Place place, bool reads)
    {
        var here = Place.Of(c);
        if (here.Object.Length == 0 || c.First(Sig) is not { } signature || c.First(Until) is not { } until || Time(until) is not { } end || end < c.Now) return false;
        if (place != here && !reads) return false;
        if (c.First(Prefix) is { } prefix && !here.Object.StartsWith(prefix, StringComparison.Ordinal)) return false;
        if (c.First(From) is { } range && !Within(c.Peer, range)) return false;
        if (await Signature.Scope(c, here, signature, [.. Texts(c, here)]) is not { } scope || !scope(place)) return false;
        // Whoever may write one object doesn't thereby read others through it.
        foreach (var header in (string[])[Dlo.Header, "X-Symlink-Target"])
            if (c.Header(header) is not null) throw Fault.BadRequest($"The header '{header}' is not allowed in this tempurl");
        return true;
    }

    private static IEnumerable<string> Texts(Call c, Place here)
    {
        var ip = c.First(From) is { } range ? $"ip={range}\n" : "";
        var prefix = c.First(Prefix);
        var until = Time(c.First(Until)!)!.Value.ToUnixTimeSeconds();
        return from method in c.Method == "HEAD" ? (string[])["HEAD", "GET", "PUT", "POST"] : [c.Method]
               from path in Signature.Paths(c, prefix is null ? here : here with { Object = "" })
               select string.Create(CultureInfo.InvariantCulture, $"{ip}{method}\n{until}\n{(prefix is null ? path : $"prefix:{path}/{prefix}")}");
    }

    /// <summary>Whether somebody's address is the one given or in the network given.</summary>
    private static bool Within(IPAddress? peer, string range) => peer is not null
        && (IPAddress.TryParse(range, out var one) ? one.Equals(peer) : IPNetwork.TryParse(range, out var network) && network.Contains(peer));

    /// <summary>Seconds since 1970, or ISO 8601.</summary>
    private static DateTimeOffset? Time(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds)
        : DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssZ", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>What a browser makes of an object that was read so: a file with its name. Metadata is its owner's, but for what is called public.</summary>
    public static Reply Name(Call c, Place place, Reply reply)
    {
        if (!Is(c) || reply.Status >= 300) return reply;
        reply.Headers.RemoveAll(h => h.Name.StartsWith("X-Object-Meta-", StringComparison.OrdinalIgnoreCase) && !h.Name.StartsWith("X-Object-Meta-Public-", StringComparison.OrdinalIgnoreCase));
        var (inline, file) = (c.First("inline") is not null, c.First("filename"));
        if (inline || file is not null || !reply.Headers.Exists(h => h.Name == "Content-Disposition"))
        {
            reply.Headers.RemoveAll(h => h.Name == "Content-Disposition");
            var name = file is { Length: > 0 } ? file : inline ? null : place.Object.TrimEnd('/').Split('/')[^1];
            reply.With("Content-Disposition", (inline ? "inline" : "attachment") + (name is null ? "" : $"; filename=\"{Quoted(name)}\"; filename*=UTF-8''{Uri.EscapeDataString(name)}"));
        }
        reply.Headers.RemoveAll(h => h.Name == "Expires");
        return reply.With("Expires", SwiftDialect.HttpDate(Time(c.First(Until)!)!.Value));
    }

    private static string Quoted(string name) => string.Concat(name.Select(ch => ch is '"' or '\\' or < ' ' or > '~' ? Uri.HexEscape((char)(ch & 0xff)) : ch.ToString()));
}
