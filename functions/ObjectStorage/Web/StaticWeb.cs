using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Web;

/// <summary>A container as a web site for whoever comes without a token: index pages, listings and pages for errors, named by its metadata.</summary>
internal static class StaticWeb
{
    /// <summary>What X-Container-Meta-Web-* says.</summary>
    private sealed record Site(Place Place, string Index, string Error, bool Lists, string Css, string Label);

    /// <summary>Answers in the site's way, or as <paramref name="ordinary"/> would.</summary>
    public static async ValueTask<Reply> Show(Call c, Func<Call, ValueTask<Reply>> ordinary)
    {
        if (await SiteOf(c) is not { } site) return await ordinary(c);
        try { return site.Place.Object.Length == 0 ? await Top(c, site, ordinary) : await Below(c, site, ordinary); }
        catch (Fault f) when (f.Status is 401 or 404)
        {
            if (site.Error.Length == 0 || await Page(c, site.Place with { Object = f.Status.ToString(CultureInfo.InvariantCulture) + site.Error }, 401) is not { } page) throw;
            var reply = new Reply { Status = f.Status, ContentType = page.ContentType, Stream = page.Stream, Text = page.Text };
            foreach (var (name, value) in page.Headers.Concat(f.Headers)) reply.With(name, value);
            return reply;
        }
    }

    private static async ValueTask<Site?> SiteOf(Call c)
    {
        if (c.User is not null && !ListQuery.IsTrue(c.Header("X-Web-Mode")) || Signed.TempUrl.Is(c)) return null;
        var place = Place.Of(c);
        if (place.Project is not { } project || (await Shelf.Container(c.Store, project, place.Container, c.Cancelled))?.Item.Meta is not { } meta) return null;
        string Said(string name) => meta.GetValueOrDefault("Web-" + name) ?? "";
        var site = new Site(place, Said("Index").Trim('/'), Said("Error").Trim('/'), ListQuery.IsTrue(Said("Listings")), Said("Listings-Css"), Said("Listings-Label"));
        return site.Index.Length > 0 || site.Error.Length > 0 || site.Lists ? site : null;
    }

    private static async ValueTask<Reply> Top(Call c, Site site, Func<Call, ValueTask<Reply>> ordinary)
    {
        if (site.Index.Length == 0 && !site.Lists) return await ordinary(c);
        if (!c.Path.EndsWith('/')) return WithSlash(c);
        return await Index(c, site, "") ?? await List(c, site, "");
    }

    private static async ValueTask<Reply> Below(Call c, Site site, Func<Call, ValueTask<Reply>> ordinary)
    {
        var folder = site.Place.Object.TrimEnd('/') + "/";
        try
        {
            var reply = await ordinary(c);
            // An empty object that marks a folder stands for the folder's index.
            if (!reply.ContentType.StartsWith("application/directory", StringComparison.Ordinal) || await Index(c, site, folder) is not { } index) return reply;
            return c.Path.EndsWith('/') ? index : WithSlash(c);
        }
        catch (Fault f) when (f.Status == 404)
        {
            var index = await Index(c, site, folder);
            if (index is null && !site.Lists) throw;
            if (index is null && await VisibleBelow(c, site, folder) == 0) throw;
            return !c.Path.EndsWith('/') ? WithSlash(c) : index ?? await List(c, site, folder);
        }
    }

    private static async ValueTask<Reply?> Index(Call c, Site site, string folder) => site.Index.Length == 0 ? null : await Page(c, site.Place with { Object = folder + site.Index });

    /// <summary>An object, or null when it isn't there or reading it fails as said.</summary>
    private static async ValueTask<Reply?> Page(Call c, Place place, int failure = 404)
    {
        try { return await Objects.Show(c, place); }
        catch (Fault f) when (f.Status == 404 || f.Status == failure) { return null; }
    }

    private static async ValueTask<int> VisibleBelow(Call c, Site site, string folder) => (await Entries(c, site, folder, 1)).Count;

    private static async ValueTask<Reply> List(Call c, Site site, string folder)
    {
        if (!site.Lists) throw Containers.Missing();
        var entries = await Entries(c, site, folder, ListQuery.Most);
        if (folder.Length > 0 && entries.Count == 0) throw Containers.Missing();
        var css = site.Css.Length == 0 ? null : site.Css.Contains("://", StringComparison.Ordinal) || site.Css.StartsWith('/') ? site.Css : string.Concat(Enumerable.Repeat("../", folder.Count(ch => ch == '/'))) + site.Css;
        return new() { Status = 200, ContentType = SwiftDialect.Html, Text = WebListing.Html(site.Label.Length > 0 ? site.Label : site.Place.Container, folder, css, entries) };
    }

    private static async ValueTask<IReadOnlyList<Entry<StoredObject>>> Entries(Call c, Site site, string folder, int limit)
    {
        var (_, container) = await Containers.Open(c, site.Place with { Object = "" });
        return await Listing.Walk<StoredObject>(c.Store, Shelf.Of(container.Item.ProjectId), Shelf.ObjectRange(container.Item.Id), new() { Prefix = folder, Delimiter = "/", Limit = limit }, c.Cancelled);
    }

    private static Reply WithSlash(Call c) => SwiftDialect.Page(301, "The resource has moved permanently.").With("Location", $"{c.BaseUrl}{c.Path}/");
}
