using Cloud.Platform;

namespace Cloud;

/// <summary>The services of this cloud. A new service is a folder and a line here.</summary>
public static class Slices
{
    public static readonly IReadOnlyList<Slice> All = [Identity.Api.Slice, Image.Api.Slice, ObjectStorage.Api.Slice, ObjectStorage.S3.S3Api.Slice, Network.Api.Slice, BlockStorage.Api.Slice, Compute.Api.Slice, Placement.Api.Slice, Events.Api.Slice, Metering.Api.Slice, Operations.Api.Slice];
}
