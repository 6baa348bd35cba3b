using System.Globalization;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.ObjectStorage;

/// <summary>https://docs.openstack.org/api-ref/object-store/#accounts</summary>
internal static class Accounts
{
    private const string Quota = "Quota-Bytes";

    public static async ValueTask<Reply> Show(Call c)
    {
        var (place, project, account) = await Open(c);
        var query = ListQuery.Of(c);
        var sum = await Tally.OfAccount(c.Store, project, c.Cancelled);
        var entries = c.Method == "HEAD" ? [] : await Listing.Walk<Container>(c.Store, Shelf.Of(project), Shelf.ContainerRange, query, c.Cancelled);
        var all = await Tally.Of(c.Store, project, [.. entries.Select(e => e.Item?.Id).OfType<string>()], sum.Containers, c.Cancelled);
        var reply = c.Method == "HEAD" ? Reply.Empty(204).With("Content-Type", SwiftDialect.Plain)
            : ListReply.Of(query.Format, "account", place.Account, [.. entries.Select(e => e.Name)], i => Line(entries[i], all), "container");
        foreach (var policy in (string[])["", "Storage-Policy-Policy-0-"])
            reply.With($"X-Account-{policy}Container-Count", SwiftDialect.Number(sum.Containers)).With($"X-Account-{policy}Object-Count", SwiftDialect.Number(sum.Objects))
                .With($"X-Account-{policy}Bytes-Used", SwiftDialect.Number(sum.Bytes));
        reply.With("X-Timestamp", SwiftDialect.Stamp(account.CreatedAt == default ? c.Now : account.CreatedAt)).With("Accept-Ranges", "bytes");
        return reply.With("X-Account-Meta-", Access.Owns(c, place) ? Metadata.Together(account.Meta, account.Keys) : account.Meta);
    }

    /// <summary>Accounts are there as long as their projects: nobody makes or deletes one here.</summary>
    private static async ValueTask<Fault> NotManaged(Call c)
    {
        await Open(c);
        return new(405, "The method is not allowed for this resource.") { Headers = [("Allow", "HEAD, GET, POST, OPTIONS")] };
    }

    public static async ValueTask<Reply> Put(Call c) => c.First("extract-archive") is { } format ? await Bulk.Extract.Run(c, format) : throw await NotManaged(c);

    public static async ValueTask<Reply> Delete(Call c)
    {
        if (c.First("bulk-delete") is null) throw await NotManaged(c);
        await Open(c);
        return await Bulk.BulkDelete.Run(c);
    }

    public static async ValueTask<Reply> Update(Call c)
    {
        if (c.First("bulk-delete") is not null) return await Delete(c);
        var (_, project, _) = await Open(c);
        await Edit.Run(c, project, async edit =>
        {
            var was = await Shelf.Load<Account>(c.Store, project, Shelf.AccountKey, c.Cancelled);
            var account = was?.Item ?? new() { ProjectId = project, CreatedAt = c.Now };
            var (meta, keys) = Metadata.Apart(Metadata.Merge(c, "Account", Metadata.Together(account.Meta, account.Keys)));
            CheckQuota(c, account, meta);
            var body = Json.Write(account with { Meta = meta, Keys = keys });
            edit.Add(was is null ? new Op.Insert(Shelf.AccountKey, body) : new Op.Replace(Shelf.AccountKey, body, was.ETag));
            return account;
        });
        return SwiftDialect.Page(204);
    }

    public static async ValueTask<(Place Place, string Project, Account Account)> Open(Call c)
    {
        var place = Place.Of(c);
        await Access.Require(c, place);
        var project = place.Project ?? throw new Fault(404, "The resource could not be found.");
        return (place, project, await Shelf.Account(c.Store, project, c.Cancelled));
    }

    /// <summary>How many bytes more the account may hold; null for any number.</summary>
    public static async ValueTask<long?> RoomOf(IEntityStore store, string project)
    {
        var account = await Shelf.Account(store, project);
        if (!account.Meta.TryGetValue(Quota, out var text) || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var quota)) return null;
        return quota - (await Tally.OfAccount(store, project)).Bytes;
    }

    // A limit that its holder could lift would be none.
    private static void CheckQuota(Call c, Account was, Dictionary<string, string> now)
    {
        if (was.Meta.GetValueOrDefault(Quota) == now.GetValueOrDefault(Quota) && !c.HeaderNames.Any(h => h.Equals("X-Account-Meta-" + Quota, StringComparison.OrdinalIgnoreCase))) return;
        if (!c.Allows(Access.Reseller, default)) throw new Fault(403, "Access was denied to this resource.");
        if (now.TryGetValue(Quota, out var text) && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _)) throw Fault.BadRequest("Invalid bytes quota.");
    }

    private static IReadOnlyList<(string, object)> Line(Entry<Container> e, Dictionary<string, Count> all)
    {
        if (e.Item is not { } item) return [("subdir", e.Name)];
        var count = all.GetValueOrDefault(item.Id);
        return [("name", e.Name), ("count", count.Objects), ("bytes", count.Bytes), ("last_modified", SwiftDialect.ListDate(item.Changed))];
    }
}
