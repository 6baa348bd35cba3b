using System.Net.Http;
using Cloud.ObjectStorage.Manifests;
using Cloud.Platform;
using Cloud.Platform.Net;

namespace Cloud.ObjectStorage.Sync;

/// <summary>The requests that carry one object over, each with the time of its change.</summary>
internal sealed class Carrier(Services s, Target target, string key, CancellationToken ct)
{
    private const int MinBytesPerSecond = 64 * 1024;

    /// <summary>Whether the other end has it already, or something newer: then no bytes need go. So ends what two containers send each other.</summary>
    public async Task<bool> Has(StoredObject o)
    {
        var answer = await Ask(HttpMethod.Head, o.Name, o.Modified, [], null, 200, 404);
        return answer.Status == 200 && answer.Header("X-Timestamp") is { } text && Stamps.Read(text) >= Stamps.Read(SwiftDialect.Stamp(o.Modified));
    }

    public async Task Put(StoredObject o)
    {
        List<(string, string)> headers = [("Content-Type", o.ContentType), ("ETag", o.IsManifest ? o.Blob!.Md5 : o.ETag), .. o.Meta.Select(m => ("X-Object-Meta-" + m.Key, m.Value)), .. o.Headers.Select(h => (h.Key, h.Value))];
        if (o.DeleteAt is { } at) headers.Add(("X-Delete-At", SwiftDialect.Number(at.ToUnixTimeSeconds())));
        if (o.IsManifest) headers.Add((SyncedManifest.Header, "True"));
        if (o.Link is { } link) headers.AddRange(Links.Headers(link));
        var content = Content.Of(s, o);
        await using var bytes = await content.Read(0, content.Length, ct);
        await Ask(HttpMethod.Put, o.Name, o.Modified, headers, new(bytes, content.Length), 200, 201, 202);
    }

    public async Task Delete(string name, DateTimeOffset at) => await Ask(HttpMethod.Delete, name, at, [], null, 200, 204, 404, 409);

    /// <exception cref="OutboundException">It isn't answered, or in another way than it should be.</exception>
    private async Task<OutboundAnswer> Ask(HttpMethod method, string name, DateTimeOffset at, IReadOnlyList<(string, string)> headers, OutboundBody? body, params int[] good)
    {
        var (url, stamp) = ($"{target.Url}/{Place.Escape(name)}", SwiftDialect.Stamp(at));
        var nonce = s.Ids.Plain();
        var path = url[url.IndexOf('/', url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        (string, string) proof = target.Realm is { } realm ? (Signature.Header, $"{realm} {nonce} {Signature.Of(target.RealmKey, method.Method, path, stamp, nonce, key)}") : ("X-Container-Sync-Key", key);
        var limits = OutboundLimits.Notification with { Total = TimeSpan.FromSeconds(30 + (body?.Length ?? 0) / MinBytesPerSecond) };
        var answer = await s.Outbound.Send(method, url, body, [.. headers, ("X-Timestamp", stamp), proof], limits, ct);
        return good.Contains(answer.Status) ? answer : throw new OutboundException($"The other end answered {answer.Status}.");
    }
}
