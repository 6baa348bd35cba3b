using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Pages of other origins: what a container's owner lets them ask of it, and what they see of answers (X-Container-Meta-Access-Control-*).</summary>
internal static class Cors
{
    private const string Methods = "GET, HEAD, PUT, POST, DELETE, COPY, OPTIONS", AllowOrigin = "Access-Control-Allow-Origin", Expose = "Access-Control-Expose-Headers", MaxAge = "Access-Control-Max-Age";
    private const string Always = "cache-control, content-language, content-type, expires, last-modified, etag, x-timestamp, x-trans-id, x-openstack-request-id";

    /// <summary>What a browser asks before it sends another's request.</summary>
    /// <exception cref="Fault">401 when the container's owner allows no such thing, or there is none.</exception>
    public static async ValueTask<Reply> Ask(Call c)
    {
        var reply = Reply.Empty(200).With("Allow", Methods).Traced(c);
        if (c.Header("Origin") is not { Length: > 0 }) return reply;
        if (c.Header("Access-Control-Request-Method") is not { Length: > 0 } method || !Methods.Split(", ").Contains(method) || await Allowed(c) is not var (origin, container)) throw new Fault(401, "");
        reply.With(AllowOrigin, origin).With("Access-Control-Allow-Methods", Methods).With("Vary", "Origin, Access-Control-Request-Headers");
        if (container.Meta.GetValueOrDefault(MaxAge) is { } age) reply.With(MaxAge, age);
        return c.Header("Access-Control-Request-Headers") is { Length: > 0 } headers ? reply.With("Access-Control-Allow-Headers", headers) : reply;
    }

    /// <summary>Lets the page that asked see the answer, if its origin may.</summary>
    public static async ValueTask<Reply> Show(Call c, Func<Call, ValueTask<Reply>> run)
    {
        try
        {
            var reply = (await run(c)).Traced(c);
            reply.Headers.AddRange(await Shown(c, reply.Headers));
            return reply;
        }
        // A page is to know why as well.
        catch (Fault f) when (c.Header("Origin") is { Length: > 0 }) { throw new Fault(f.Status, f.Message, f.Detail) { Kind = f.Kind, Headers = [.. f.Headers, .. await Shown(c, f.Headers)] }; }
    }

    private static async ValueTask<IReadOnlyList<(string Name, string Value)>> Shown(Call c, IReadOnlyList<(string Name, string Value)> headers)
    {
        if (c.Header("Origin") is not { Length: > 0 } || await Allowed(c) is not var (origin, container)) return [];
        var shown = new[] { Always, container.Meta.GetValueOrDefault(Expose)?.Replace(' ', ',') }.Concat(headers.Select(h => h.Name.ToLowerInvariant()));
        return [(Expose, string.Join(", ", shown.OfType<string>().SelectMany(s => s.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.OrdinalIgnoreCase))), (AllowOrigin, origin), ("Vary", "Origin")];
    }

    private static async ValueTask<(string Origin, Container Container)?> Allowed(Call c)
    {
        var place = Place.Of(c);
        if (place.Project is not { } project || place.Container.Length == 0 || await Shelf.Container(c.Store, project, place.Container, c.Cancelled) is not { Item: var container }) return null;
        var (origin, allowed) = (c.Header("Origin")!, (container.Meta.GetValueOrDefault(AllowOrigin) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return allowed.Contains("*") ? ("*", container) : allowed.Contains(origin) ? (origin, container) : null;
    }
}
