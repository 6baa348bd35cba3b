using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Manifests;

/// <summary>What is read when an object is: its own bytes, or those that its manifest stands for.</summary>
/// <param name="ETag">As it is sent: quoted when it is no digest of the bytes.</param>
internal sealed record Body(Content Content, string ETag, string ContentType)
{
    public static async ValueTask<Body> Of(Call c, Place place, StoredObject item)
    {
        if (item.IsManifest) return new(Slo.Content(c, place.Account, await Slo.Read(c.Services, item, c.Cancelled)), Uploads.ETagOf(item), item.ContentType);
        if (item.Headers.GetValueOrDefault(Dlo.Header) is not { } manifest) return new(Content.Of(c.Services, item), item.ETag, item.ContentType);
        var (content, etag) = await Dlo.Open(c, place.Account, manifest);
        return new(content, etag, item.ContentType);
    }

    /// <summary>The manifest itself; with format=raw in the form in which it could be put again.</summary>
    public static async ValueTask<Body> Raw(Call c, StoredObject item)
    {
        if (!item.IsManifest) return new(Content.Of(c.Services, item), item.ETag, item.ContentType);
        return c.First("format") == "raw" ? await SloUpload.Again(c, item) : new(Content.Of(c.Services, item), item.Blob!.Md5, Slo.Type);
    }

    /// <summary>Whether a request is about the manifest itself.</summary>
    public static bool IsRaw(Call c) => c.First("multipart-manifest") == "get";
}
