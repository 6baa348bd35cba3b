using Cloud.Platform;
using Cloud.Platform.Blobs;

namespace Cloud;

/// <summary>The stores of images that the settings name, and the one that is always there: "file", on this machine, where data is staged too.</summary>
public static class ImageStores
{
    public const string Local = "file";

    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static IReadOnlyList<BlobPlace> Of(Settings settings, IBlobStore local)
    {
        if (settings.ImageStores.Values.Count(s => s.Default) > 1) throw new ArgumentException("only one of the image stores can be the default");
        BlobPlace[] all = [new(Local, "file", "", _ => local), .. settings.ImageStores.Select(s => Of(s.Key, s.Value))];
        return [.. all.OrderByDescending(p => settings.ImageStores.TryGetValue(p.Id, out var s) && s.Default)];
    }

    private static BlobPlace Of(string id, StoreSetting s)
    {
        if (id == Local || id.Length is 0 or > 64 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) throw new ArgumentException($"'{id}' can't be an image store's name");
        return new(id, s.Kind, s.Description, s switch
        {
            { Kind: "file", Path.Length: > 0 } => Always(new FileBlobs(s.Path)),
            { Kind: "objects" } => services => ObjectStorage.Facade.Blobs(services, "image-store", s.Container),
            { Kind: "azure", Connection.Length: > 0 } => Always(s.Azure(id)),
            _ => throw new ArgumentException($"the image store {id} needs a kind: file with a path, objects, or azure with a connection"),
        });
    }

    private static Func<Services, IBlobStore> Always(IBlobStore store) => _ => store;
}
