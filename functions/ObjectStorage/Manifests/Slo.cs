using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloud.Platform;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Manifests;

/// <summary>One line of a static manifest, as it is kept and shown.</summary>
/// <param name="Name">/CONTAINER/OBJECT; empty for one that brings its bytes in <paramref name="Data"/>.</param>
/// <param name="Hash">The segment's ETag.</param>
/// <param name="Bytes">Of the whole segment.</param>
/// <param name="Range">First and last byte that are used, as 0-9; null for all.</param>
internal sealed record Segment(string Name, string Hash, long Bytes, string? ContentType = null, string? LastModified = null, string? Range = null, bool? SubSlo = null, byte[]? Data = null)
{
    [JsonIgnore] public long From => Range is null ? 0 : long.Parse(Range.Split('-')[0], CultureInfo.InvariantCulture);
    [JsonIgnore] public long Length => Range is null ? Bytes : long.Parse(Range.Split('-')[1], CultureInfo.InvariantCulture) - From + 1;
    /// <summary>What it adds to the ETag of the whole.</summary>
    [JsonIgnore] public string Mark => Range is null ? Hash : $"{Hash}:{Range};";
}

/// <summary>Static large objects: a list of segments, each as it was when the list was made.</summary>
internal static class Slo
{
    public const int MaxSegments = 1000, MaxBytes = 8 << 20;
    public const string Type = "application/json; charset=utf-8";

    public static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static async ValueTask<Segment[]> Read(Services s, StoredObject manifest, CancellationToken ct)
    {
        var content = ObjectStorage.Content.Of(s, manifest);
        await using var bytes = await content.Read(0, content.Length, ct);
        return await JsonSerializer.DeserializeAsync<Segment[]>(bytes, Json, ct) ?? [];
    }

    public static string ETag(IEnumerable<Segment> segments) => ETags.OfAll(segments.Select(s => s.Mark));

    public static Content Content(Call c, string account, IEnumerable<Segment> segments) =>
        ObjectStorage.Content.Of([.. segments.Select(s => new Content(s.Length, async (from, length, ct) => await (await Part(c, account, s)).Open(s.From + from, length, ct)))]);

    public static Place PlaceOf(string account, string name) => Place.Of(account, Uri.EscapeDataString(name), "path");

    /// <exception cref="Fault">409 when the segment isn't any more what it was.</exception>
    private static async ValueTask<Content> Part(Call c, string account, Segment s)
    {
        if (s.Data is { } data) return ObjectStorage.Content.Of(data);
        StoredObject item;
        try { (_, item) = await Links.Open(c, PlaceOf(account, s.Name)); }
        catch (Fault f) when (f.Status == 404) { throw Changed(); }
        if (item.ETag != s.Hash || item.Size != s.Bytes) throw Changed();
        return item.IsManifest ? Content(c, account, await Read(c.Services, item, c.Cancelled)) : ObjectStorage.Content.Of(c.Services, item);
    }

    private static Fault Changed() => Fault.Conflict("There was a conflict when trying to complete your request.");
}
