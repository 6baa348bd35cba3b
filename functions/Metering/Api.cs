using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.Metering;

/// <summary>What was used, for how long: intervals and their sums. See docs/metering.md.</summary>
public static class Api
{
    public static readonly Slice Slice = new("metering", "metering", OwnService.Dialect("metering"),
    [
        new("GET", "/", Policy.Anyone, OwnService.Versions), new("GET", "/v1", Policy.Anyone, OwnService.Versions),
        new("GET", "/v1/intervals", "metering:get", Intervals), new("GET", "/v1/usage", "metering:get", Sums),
    ])
    {
        CatalogName = "metering", CatalogPath = "/v1", OnSamples = Traffic.OnSamples,
        OnEvent = async (s, e, ct) =>
        {
            await Accounts.OnEvent(s, e, ct);
            await Traffic.OnEvent(s, e, ct);
        },
        Jobs = [new("forget", TimeSpan.FromHours(6), Accounts.Forget), new("forget-traffic", TimeSpan.FromHours(6), Traffic.Forget)],
    };

    private sealed record Asked(IReadOnlyList<string> Projects, DateTimeOffset From, DateTimeOffset To);

    private static async ValueTask<Reply> Intervals(Call c)
    {
        OwnService.OnlyKnows(c, "from", "to", "resource", "meter", "all_projects", "project_id", "limit", "cursor");
        var (asked, limit, cursor) = (await Read(c), OwnService.Limit(c), c.First("cursor"));
        // The cursor is the id of the last interval shown; the order of ids that were shown doesn't change but by ends.
        var found = (await All(c, asked)).DistinctBy(e => e.Id).OrderBy(Order, StringComparer.Ordinal).Where(e => cursor is null || string.CompareOrdinal(Order(e), cursor) > 0).Take(limit + 1).ToList();
        var next = found.Count > limit ? Order(found[limit - 1]) : null;
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("intervals");
            JsonSerializer.Serialize(w, found.Take(limit).Select(e => EntryView.Of(e, c.Now)), EntryView.Wire);
            w.WriteString("next", next);
            w.WriteEndObject();
        }).WithNext(c, next);
    }

    private static async ValueTask<Reply> Sums(Call c)
    {
        OwnService.OnlyKnows(c, "from", "to", "resource", "meter", "all_projects", "project_id");
        var asked = await Read(c);
        var sums = Usage.Of(await All(c, asked), asked.From, asked.To);
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteString("from", EntryView.Time(asked.From));
            w.WriteString("to", EntryView.Time(asked.To));
            w.WritePropertyName("usage");
            JsonSerializer.Serialize(w, sums, EntryView.Wire);
            w.WriteEndObject();
        });
    }

    private static string Order(Entry e) => $"{e.Project}|{EntryView.Time(e.Interval.From)}|{e.Id}";

    /// <summary>Without from: since the beginning of the month. Time to come has no usage, so to is at most now.</summary>
    private static async ValueTask<Asked> Read(Call c)
    {
        var to = OwnService.Time(c, "to") is { } t && t < c.Now ? t : c.Now;
        var from = OwnService.Time(c, "from") ?? new DateTimeOffset(to.Year, to.Month, 1, 0, 0, 0, TimeSpan.Zero);
        if (from > to) throw Fault.BadRequest("from must be before to.");
        var (all, one) = (OwnService.Flag(c, "all_projects"), c.First("project_id"));
        if (all || (one is not null && one != c.User?.ProjectId)) c.Require("metering:get_all", default);
        return new(all ? await Accounts.AllProjects(c.Store, c.Cancelled) : [one ?? c.ProjectId], from, to);
    }

    private static async ValueTask<IReadOnlyList<Entry>> All(Call c, Asked asked)
    {
        var (resource, meter, found) = (c.First("resource"), c.First("meter"), new List<Entry>());
        foreach (var project in asked.Projects)
            await foreach (var e in Accounts.Between(c.Store, project, asked.From, asked.To, c.Cancelled))
                if ((resource is null || e.Resource.EndsWith("|" + resource, StringComparison.Ordinal)) && OwnService.Matches(meter, e.Interval.Meter)) found.Add(e);
        return found;
    }
}
