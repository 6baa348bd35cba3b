using System.Globalization;
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
        var entries = c.Method == "HEAD" ? [] : await Listing.Walk<StoredObject>(c.Store, Shelf.Of(container.ProjectId), Shelf.ObjectRange(container.Id), query, c.Cancelled);
        var reply = c.Method == "HEAD" ? Reply.Empty(204).With("Content-Type", SwiftDialect.Plain)
            : ListReply.Of(query.Format, "container", container.Name, [.. entries.Select(e => e.Name)], i => Line(entries[i]), "object");
        var count = await Tally.Of(c.Store, container.ProjectId, container.Id, c.Cancelled);
        reply.With("X-Container-Object-Count", SwiftDialect.Number(count.Objects)).With("X-Container-Bytes-Used", SwiftDialect.Number(count.Bytes))
            .With("X-Timestamp", SwiftDialect.Stamp(container.CreatedAt)).With("Last-Modified", SwiftDialect.HttpDate(container.Changed))
            .With("X-Storage-Policy", Policy).With("Accept-Ranges", "bytes");
        var owns = Access.Owns(c, place);
        if (owns && container.Read.Length > 0) reply.With("X-Container-Read", container.Read);
        if (owns && container.Write.Length > 0) reply.With("X-Container-Write", container.Write);
        return reply.With("X-Container-Meta-", owns ? Metadata.Together(container.Meta, container.Keys) : container.Meta);
    }

    public static async ValueTask<Reply> Create(Call c)
    {
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
        return item with { Meta = meta, Keys = keys, Read = ListOf("Read", item.Read), Write = ListOf("Write", item.Write) };
    }

    private static IReadOnlyList<(string, object)> Line(Entry<StoredObject> e) => e.Item is not { } o ? [("subdir", e.Name)]
        : [("name", o.Name), ("hash", o.ETag), ("bytes", o.Size), ("content_type", o.ContentType), ("last_modified", SwiftDialect.ListDate(o.Modified))];
}
