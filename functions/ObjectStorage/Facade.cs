using Cloud.Platform;
using Cloud.Platform.Blobs;

namespace Cloud.ObjectStorage;

/// <summary>What other services may do with objects.</summary>
public static class Facade
{
    /// <summary>A container as a store of blobs, each an object; made when it is first written to.</summary>
    /// <param name="account">Whose it is: a project's id, or one that no project has, for what is the cloud's own.</param>
    public static IBlobStore Blobs(Services s, string account, string container) => new ContainerBlobs(s, account, container);
}
