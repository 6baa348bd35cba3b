using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage.Manifests;

/// <summary>A static manifest as another cluster keeps it, byte for byte: its segments may come later, or never.</summary>
internal static class SyncedManifest
{
    public const string Header = "X-Static-Large-Object";

    public static async ValueTask<StoredObject> Put(Call c, Place place, Loaded<Container> container)
    {
        if (await WholeBody.Read(c.Stream!, Slo.MaxBytes, c.Cancelled, Uploads.LengthOf(c)) is not { } body) throw new Fault(413, "Manifest too large.");
        byte[] bytes = [.. body];
        var segments = Read(bytes);
        var draft = Objects.Said(c, new() { Name = place.Object, ContentType = Uploads.TypeOf(c, place.Object) });
        using var content = new MemoryStream(bytes);
        return await Uploads.Store(c, container, place, new(draft, content, bytes.Length, Uploads.ETagOf(c))
        {
            Finish = o => o with { IsManifest = true, ETag = Slo.ETag(segments), Size = segments.Sum(s => s.Length) },
        });
    }

    private static Segment[] Read(byte[] bytes)
    {
        try
        {
            var segments = JsonSerializer.Deserialize<Segment[]>(bytes, Slo.Json);
            return segments is { Length: > 0 and <= Slo.MaxSegments } && Array.TrueForAll(segments, s => s is { Name: not null, Bytes: > 0, Hash: not null, Length: > 0 }) ? segments : throw Fault.BadRequest("Invalid manifest.");
        }
        catch (Exception e) when (e is JsonException or FormatException or OverflowException or IndexOutOfRangeException) { throw Fault.BadRequest("Invalid manifest."); }
    }
}
