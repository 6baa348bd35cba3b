using System.Globalization;
using Cloud.ObjectStorage.Versions;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>https://docs.openstack.org/api-ref/object-store/#containers</summary>
internal static class Containers
{
    public const string Policy = "Policy-0";

    public static async ValueTask<Reply> Show(Call c)
    {
        var (place, found) = await Open(c);
        var container = found.Item;
        var query = ListQuery.Of(c);
        var versions = c.First("versions") is not null;
        if (versions) query = query with { Format = ListFormat.Json };
        var entries = c.Method == "HEAD" ? []
            : versions ? await VersionList.Walk(c, container, query, c.First("version_marker")) : await Listing.Walk<StoredObject>(c.Store, Shelf.Of(container.ProjectId), Shelf.ObjectRange(container.Id), query, c.Cancelled);
        var reply = c.Method == "HEAD" ? Reply.Empty(204).With("Content-Type", SwiftDialect.Plain)
            : ListReply.Of(query.Format, "container", container.Name, [.. entries.Select(e => e.Name)], i => versions && entries[i].Item is not null ? [.. Line(entries[i]), .. VersionList.Line(entries, i)] : Line(entries[i]), "object");
        var count = await Tally.Of(c.Store, container.ProjectId, container.Id, c.Cancelled);
        reply.With("X-Container-Object-Count", SwiftDialect.Number(count.Objects)).With("X-Container-Bytes-Used", SwiftDialect.Number(count.Bytes))
            .With("X-Timestamp", SwiftDialect.Stamp(container.CreatedAt)).With("Last-Modified", SwiftDialect.HttpDate(container.Changed))
            .With("X-Storage-Policy", Policy).With("Accept-Ranges", "bytes");
        var owns = Access.Owns(c, place);
        if (owns && container.Read.Length > 0) reply.With("X-Container-Read", container.Read);
        if (owns) await Sync.Settings.Show(c, reply, container);
        if (container.Archive is { } archive) reply.With(container.History ? "X-History-Location" : "X-Versions-Location", Place.Escape(archive));
        if (container.Versioning is { } on) reply.With("X-Versions-Enabled", on ? "True" : "False");
        if (owns && container.Write.Length > 0) reply.With("X-Container-Write", container.Write);
        return reply.With("X-Container-Meta-", owns ? Metadata.Together(container.Meta, container.Keys) : container.Meta);
    }

    public static async ValueTask<Reply> Create(Call c)
    {
        if (c.First("extract-archive") is { } format) return await Bulk.Extract.Run(c, format);
        var (place, project, _) = await Accounts.Open(c);
        place.CheckNames();
        var made = await Make(c, project, place.Container);
        return SwiftDialect.Page(made ? 201 : 202);
    }

    /// <returns>False when it was there already; what the request says of it is true then too.</returns>
    public static ValueTask<bool> Make(Call c, string project, string name) => Edit.Run(c, project, async edit =>
    {
        var was = await Shelf.Container(c.Store, project, name, c.Cancelled);
        edit.Put(was, Said(c, was?.Item ?? new() { Id = c.Services.Ids.New(), Name = name, CreatedAt = c.Now }));
        return was is null;
    });

    public static async ValueTask<Reply> Update(Call c)
    {
        if (Signed.FormPost.Is(c)) return await Signed.FormPost.Run(c);
        var (place, project, _) = await Accounts.Open(c);
        await Edit.Run(c, project, async edit =>
        {
            var was = await Shelf.Container(c.Store, project, place.Container, c.Cancelled) ?? throw Missing();
            return edit.Put(was, Said(c, was.Item));
        });
        return SwiftDialect.Page(204);
    }

    public static async ValueTask<Reply> Delete(Call c)
    {
        var (place, project, _) = await Accounts.Open(c);
        await Edit.Run(c, project, edit => Remove(edit, place.Container));
        return SwiftDialect.Page(204);
    }

    /// <exception cref="Fault">404, or 409 when it isn't empty.</exception>
    public static async ValueTask<bool> Remove(Edit edit, string name)
    {
        var was = await Shelf.Container(edit.Services.Store, edit.Project, name) ?? throw Missing();
        foreach (var op in await Tally.Remove(edit.Services.Store, edit.Project, was.Item.Id) ?? throw Fault.Conflict("There was a conflict when trying to complete your request.")) edit.Add(op);
        edit.Remove(was);
        return true;
    }

    public static Fault Missing() => new(404, "The resource could not be found.");

    /// <summary>The container of the path, if the caller may do there what he asks.</summary>
    public static async ValueTask<(Place Place, Loaded<Container> Container)> Open(Call c, Place? place = null, string? rule = null)
    {
        place ??= Place.Of(c);
        var found = place.Project is { } project ? await Shelf.Container(c.Store, project, place.Container, c.Cancelled) : null;
        await Access.Require(c, place, found?.Item, rule);
        return (place, found ?? throw Missing());
    }

    private static Container Said(Call c, Container item)
    {
        var (meta, keys) = Metadata.Apart(Metadata.Merge(c, "Container", Metadata.Together(item.Meta, item.Keys)));
        foreach (var (name, text) in new[] { ("Quota-Bytes", "bytes"), ("Quota-Count", "count") })
            if (meta.TryGetValue(name, out var value) && !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)) throw Fault.BadRequest($"Invalid {text} quota.");
        if (c.Header("X-Storage-Policy") is { Length: > 0 } policy && !policy.Equals(Policy, StringComparison.OrdinalIgnoreCase)) throw Fault.BadRequest($"Invalid X-Storage-Policy '{(policy.Length > 64 ? policy[..64] : policy)}'");
        string ListOf(string which, string was) => c.Header("X-Remove-Container-" + which) is not null ? "" : c.Header("X-Container-" + which) is { } text ? Acl.Clean("X-Container-" + which, text) : was;
        return Sync.Settings.Said(c, VersionsSaid(c, item with { Meta = meta, Keys = keys, Read = ListOf("Read", item.Read), Write = ListOf("Write", item.Write) }));
    }

    /// <summary>Three ways of keeping older versions; one at a time.</summary>
    private static Container VersionsSaid(Call c, Container item)
    {
        var (stack, history) = (c.Header("X-Versions-Location"), c.Header("X-History-Location"));
        if (stack is { Length: > 0 } && history is { Length: > 0 }) throw Fault.BadRequest("Only one of X-History-Location or X-Versions-Location may be specified");
        if (c.Header("X-Remove-Versions-Location") is not null && item is { History: false } || c.Header("X-Remove-History-Location") is not null && item is { History: true } || stack is "" || history is "") item = item with { Archive = null, History = false };
        if ((stack is { Length: > 0 } ? stack : history) is { Length: > 0 } location)
            item = item with { Archive = Place.Decode(location) is var name && !name.Contains('/', StringComparison.Ordinal) ? name : throw new Fault(412, "A container name cannot contain slashes"), History = stack is not { Length: > 0 } };
        if (c.Header("X-Versions-Enabled") is { Length: > 0 } enabled) item = item with { Versioning = ListQuery.IsTrue(enabled) };
        return item is { Archive: not null, Versioning: true } ? throw Fault.BadRequest("Versioning and a location for older versions exclude each other") : item;
    }

    private static IReadOnlyList<(string, object)> Line(Entry<StoredObject> e) => e.Item is not { } o ? [("subdir", e.Name)]
        : o.IsManifest ? [.. Line(o, o.Blob!.Md5), ("slo_etag", $"\"{o.ETag}\"")] : o.Link is { } link ? [.. Line(o, o.ETag), ("symlink_path", Links.PathOf(o, link))] : Line(o, o.ETag);

    private static IReadOnlyList<(string, object)> Line(StoredObject o, string hash) =>
        [("name", o.Name), ("hash", hash), ("bytes", o.Size), ("content_type", o.ContentType), ("last_modified", SwiftDialect.ListDate(o.Modified))];
}
