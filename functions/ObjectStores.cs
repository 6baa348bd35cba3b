using Cloud.Platform;
using Cloud.Platform.Blobs;

namespace Cloud;

/// <summary>Where copies of objects are: in directories, and in the stores that the settings name.</summary>
public static class ObjectStores
{
    private const int Copies = 3;

    /// <param name="directories">Each on a disk of its own; none for three beside the rest, which guards against no broken disk.</param>
    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static ReplicatedBlobs Of(Settings settings, IReadOnlyList<string> directories, string beside) => new(
    [
        .. (directories.Count > 0 ? directories : [.. "abc".Select(x => Path.Combine(beside, "objects", x.ToString()))]).Select(d => new DirectoryReplica(d)),
        .. settings.ObjectStores.Select(s => new BlobReplica(s.Key, s.Value is { Kind: "azure", Connection.Length: > 0 } ? s.Value.Azure(s.Key) : throw new ArgumentException($"the object store {s.Key} must be of kind azure, with a connection"))),
    ], Copies);
}
