using Cloud.Platform;

namespace Cloud;

/// <summary>The services of this cloud. A new service is a folder and a line here.</summary>
public static class Slices
{
    public static readonly IReadOnlyList<Slice> All = [Identity.Api.Slice, Image.Api.Slice, ObjectStorage.Api.Slice, ObjectStorage.S3.S3Api.Slice, Network.Api.Slice, BlockStorage.Api.Slice, Compute.Api.Slice, Placement.Api.Slice, Events.Api.Slice, Metering.Api.Slice, Billing.Api.Slice, Billing.CloudKitty.RatingApi.Slice, Telemetry.Api.Slice, Alarming.Api.Slice, Operations.Api.Slice];

    /// <param name="prefixes">None for all.</param>
    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static IReadOnlyList<Slice> Named(IReadOnlyList<string> prefixes) =>
        prefixes.Count == 0 ? All : [.. prefixes.Select(p => All.FirstOrDefault(s => s.Prefix == p) ?? throw new ArgumentException($"no service is called '{p}'; there are {string.Join(", ", All.Select(s => s.Prefix))}"))];
}
