using System.Runtime.CompilerServices;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>Blobs as objects of one container: as many copies, and as well looked after, as any object.</summary>
internal sealed class ContainerBlobs(Services s, string account, string container) : IBlobStore
{
    private static readonly Change Us = new("", "");

    public async Task<BlobInfo> Write(string name, Stream content, long maxBytes, CancellationToken ct)
    {
        using var digesting = new DigestingStream(content, maxBytes, md5: false);
        var blob = BlobAt.NewName(s, account);
        var made = await s.Objects.Write(blob, digesting, maxBytes, ct);
        try
        {
            await Edit.Run(s, account, Us, async edit => edit.Put(await Container(ct), await Object(name, ct), new()
            {
                Name = name, Size = made.Bytes, Bytes = made.Bytes, ETag = made.Md5, Modified = s.Now, Blob = new(blob, made.Bytes, made.Md5, made.Sha256),
            }));
        }
        catch
        {
            await s.Objects.Delete(blob, CancellationToken.None);
            throw;
        }
        return digesting.Info with { Md5 = made.Md5 };
    }

    public async Task<Stream?> Read(string name, CancellationToken ct)
    {
        if (await Object(name, ct) is not { Item.Blob: { } blob }) return null;
        return new RangedStream(blob.Bytes, async (from, cancelled) => await s.Objects.Read(blob.Name, blob.Sealed, from, blob.Bytes - from, cancelled) ?? throw new IOException("no good copy can be read now"));
    }

    public async Task Delete(string name, CancellationToken ct) => await Edit.Run(s, account, Us, async edit =>
    {
        if (await Shelf.Container(s.Store, account, container, ct) is { } home && await Object(name, ct) is { } there) edit.Remove(home, there);
        return true;
    });

    public async IAsyncEnumerable<string> List([EnumeratorCancellation] CancellationToken ct)
    {
        if (await Shelf.Container(s.Store, account, container, ct) is not { Item: var home }) yield break;
        var range = Shelf.ObjectRange(home.Id);
        for (var from = range; await s.Store.List(Shelf.Of(account), from, Shelf.End(range), 500, ct) is { Count: > 0 } rows; from = rows[^1].Key + '\0')
            foreach (var row in rows) yield return Json.Read<StoredObject>(row.Body).Name;
    }

    private async ValueTask<Loaded<StoredObject>?> Object(string name, CancellationToken ct) =>
        await Shelf.Container(s.Store, account, container, ct) is { Item: var home } ? await Shelf.Object(s.Store, home, name, ct) : null;

    private async ValueTask<Loaded<Container>> Container(CancellationToken ct)
    {
        if (await Shelf.Container(s.Store, account, container, ct) is { } there) return there;
        await Edit.Run(s, account, Us, async edit => await Shelf.Container(s.Store, account, container, ct) is null ? edit.Put(null, new Container { Id = s.Ids.New(), Name = container, CreatedAt = s.Now }) : null);
        return (await Shelf.Container(s.Store, account, container, ct))!;
    }
}
