namespace Cloud.Platform.Blobs;

/// <summary>A store of blobs that clients can name.</summary>
/// <param name="Kind">file, objects or azure.</param>
/// <param name="Open">The store. Cheap: made once, or at each use from what the cloud has.</param>
public sealed record BlobPlace(string Id, string Kind, string Description, Func<Services, IBlobStore> Open);
