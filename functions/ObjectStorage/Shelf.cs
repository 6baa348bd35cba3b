using System.Globalization;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>
/// The rows of one account, in a partition of its own:
/// <c>account</c>; <c>c|NAME</c> a container; <c>o|CONTAINER ID|NAME</c> an object; <c>v|CONTAINER ID|NAME|VERSION</c> an older version;
/// <c>x|SECOND|OBJECT ID</c> what goes then (<see cref="Expiry"/>); <c>n|CONTAINER ID|SLOT</c> how many objects and bytes (<see cref="Tally"/>); <c>b|BLOB|OBJECT ID</c> who needs a blob.
/// </summary>
internal static class Shelf
{
    public static readonly Rows<Account> Accounts = new("account", "object-store") { Publishes = false };
    public static readonly Rows<Container> Containers = new("container", "object-store");
    public static readonly Rows<StoredObject> Objects = new("object", "object-store");

    public const string Partitions = "objects.", AccountKey = "account", ContainerRange = "c|", BlobRange = "b|", ExpiryRange = "x|";

    public static string Of(string project) => Partitions + project;
    public static string ContainerKey(string name) => ContainerRange + Names.Row(name);
    public static string ObjectRange(string containerId) => $"o|{containerId}|";
    public static string ObjectKey(string containerId, string name) => ObjectRange(containerId) + Names.Row(name);
    public static string PastRange(string containerId) => $"v|{containerId}|";
    /// <summary>All versions of one name. No name's key goes on with two blanks.</summary>
    public static string PastRange(string containerId, string name) => $"{PastRange(containerId)}{Names.Row(name)}  |";
    /// <summary>The newest first.</summary>
    public static string PastKey(string containerId, string name, long version) => string.Create(CultureInfo.InvariantCulture, $"{PastRange(containerId, name)}{long.MaxValue - version:x16}");
    public static string ExpiryKey(DateTimeOffset at, string objectId) => $"{ExpiryRange}{at.ToUnixTimeSeconds():D12}|{objectId}";
    public static string BlobKey(string blob, string objectId) => $"{BlobRange}{blob}|{objectId}";
    /// <summary>The first key after all that begin with <paramref name="range"/>, which ends with a bar.</summary>
    public static string End(string range) => range[..^1] + '}';

    public static async ValueTask<Account> Account(IEntityStore store, string project, CancellationToken ct = default) => (await Load<Account>(store, project, AccountKey, ct))?.Item ?? new() { ProjectId = project };

    public static ValueTask<Loaded<Container>?> Container(IEntityStore store, string project, string name, CancellationToken ct = default) => Load<Container>(store, project, ContainerKey(name), ct);

    public static ValueTask<Loaded<StoredObject>?> Object(IEntityStore store, Container container, string name, CancellationToken ct = default) => Load<StoredObject>(store, container.ProjectId, ObjectKey(container.Id, name), ct);

    public static async ValueTask<Loaded<T>?> Load<T>(IEntityStore store, string project, string key, CancellationToken ct = default) where T : Resource =>
        await store.Get(Of(project), key, ct) is { } row ? new(Json.Read<T>(row.Body), row.ETag) : null;

    /// <summary>Whether any object needs the blob.</summary>
    public static async ValueTask<bool> Needs(IEntityStore store, string project, string blob, CancellationToken ct = default) =>
        (await store.List(Of(project), $"{BlobRange}{blob}|", End($"{BlobRange}{blob}|"), 1, ct)).Count > 0;
}
