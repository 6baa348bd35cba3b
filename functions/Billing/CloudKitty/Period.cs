using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>A rated item with whose it is.</summary>
public sealed record Rated(string Project, LineItem Item);

/// <summary>From when to when a client asks; this month when it doesn't say. What lies ahead costs nothing yet.</summary>
public sealed record Period(DateTimeOffset Begin, DateTimeOffset End)
{
    private const int MostMonths = 13;

    public static Period Of(Call c)
    {
        var month = Month.Of(c.Now);
        var (begin, end) = (OwnService.Time(c, "begin") ?? month.Begin, OwnService.Time(c, "end") ?? month.End);
        if (begin > end) throw Fault.BadRequest("begin must not be after end.");
        if (begin.Year < 1971 || end.Year > 9000) throw Fault.BadRequest("That is too far away.");
        if (Month.Of(begin).Add(MostMonths) < Month.Of(end)) throw Fault.BadRequest($"A period of more than {MostMonths} months can't be asked for at once.");
        return new(begin, end);
    }

    /// <summary>What was used in it, priced. Cut at its beginning, so that a month's tiers are where they were then.</summary>
    public async ValueTask<IReadOnlyList<Rated>> Rate(Call c, IEnumerable<string> projects)
    {
        var rated = new List<Rated>();
        var until = End < c.Now ? End : c.Now;
        foreach (var project in projects)
            for (var month = Month.Of(Begin); month.Begin < until; month = month.Add(1))
            {
                var known = await Bills.Read(c.Store, project, month.Begin, month.End, c.Cancelled);
                rated.AddRange(Rater.Rate(known.Books, project, month, known.Entries, known.Amounts, until, Begin).Where(i => i.From >= Begin).Select(i => new Rated(project, i)));
            }
        return rated;
    }

    /// <summary>The caller's project, or for administrators the one asked for, or all.</summary>
    public static async ValueTask<IReadOnlyList<string>> Projects(Call c, string? asked, bool all)
    {
        if (!c.Allows("billing:get_all", default))
            return all || (asked is not null && asked != c.User?.ProjectId) ? throw Fault.Forbidden("billing:get_all") : [c.ProjectId];
        return all ? await Metering.Facade.Projects(c.Store, c.Cancelled) : [asked ?? c.ProjectId];
    }

    public static string Naive(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
    public static string Aware(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'+00:00'", CultureInfo.InvariantCulture);

    /// <summary>So many units, or where there is no price, of what the meter's sums are told in.</summary>
    public static decimal Quantity(LineItem i) => View.Units(i.Used, i.Told, i.Unit) is { } units ? decimal.Parse(units, CultureInfo.InvariantCulture) : i.Used;
}
