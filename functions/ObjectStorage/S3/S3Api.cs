using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>Amazon's S3 over the same objects: buckets are the containers of the project whose EC2 key signs. https://docs.aws.amazon.com/AmazonS3/latest/API/</summary>
public static class S3Api
{
    private const string Bucket = "/{bucket}", Key = Bucket + "/{key*}";
    /// <summary>Parts of buckets' settings that this cloud doesn't have.</summary>
    private static readonly string[] Missing =
    [
        "accelerate", "analytics", "cors", "encryption", "inventory", "lifecycle", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
        "publicAccessBlock", "replication", "requestPayment", "website", "legal-hold", "retention", "torrent", "restore", "select", "attributes",
    ];

    public static readonly Platform.Slice Slice = new("s3", "s3", S3Dialect.Value,
    [
        On("GET", "/", Access.Reads, Buckets.All),
        On("GET", Bucket, Access.Reads, Buckets.Show), On("HEAD", Bucket, Access.Reads, Buckets.Head), On("PUT", Bucket, Access.Writes, Buckets.Create),
        On("DELETE", Bucket, Access.Writes, Buckets.Delete), On("POST", Bucket, Access.Writes, MultiDelete.Run),
        On("GET", Key, Access.Reads, Keys.Show), On("HEAD", Key, Access.Reads, Keys.Show), On("PUT", Key, Access.Writes, Keys.Put), On("DELETE", Key, Access.Writes, Keys.Delete),
        On("POST", Key, Access.Writes, Multipart.Post),
    ])
    {
        CatalogName = "s3", Claims = Signature4.Is,
    };

    // Signatures say who asks, not tokens.
    private static Route On(string method, string path, string policy, Func<Call, ValueTask<Reply>> run) => new(method, path, policy, c => Signed(c, run)) { Streams = true, AsksItself = true };

    private static async ValueTask<Reply> Signed(Call c, Func<Call, ValueTask<Reply>> run)
    {
        await Signature4.Verify(c);
        if (Missing.FirstOrDefault(m => c.First(m) is not null) is { } missing) throw new Fault(501, $"{missing} is not implemented.");
        return await run(c);
    }

    /// <summary>What the path names, in the account of the signer's project.</summary>
    internal static Place PlaceOf(Call c)
    {
        var parts = c.Path.Split('/', 3);
        return new(Place.Reseller + c.ProjectId, Place.Decode(parts.ElementAtOrDefault(1) ?? ""), Place.Decode(parts.ElementAtOrDefault(2) ?? ""));
    }
}
