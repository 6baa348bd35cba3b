using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>Who sees and changes what: readers of the project that made a thing and of the one it was lent to; members of the one that made it.</summary>
internal static class Access
{
    /// <summary>The project whose things a list shows; null for those who see all.</summary>
    public static string? Scope(Call c) => c.Allows("metric:get_all", default) ? null : c.ProjectId;

    public static bool Sees(Call c, Subject s) => c.Allows("metric:get_all", default) || c.Allows("metric:get", new(s.Creator.Project)) || (s.Lent && c.Allows("metric:get", new(s.Project)));

    public static bool Changes(Call c, Creator creator) => c.Allows("metric:write", new(creator.Project));

    /// <exception cref="Fault">404 for what isn't there or isn't seen; 403 for what is seen and may not be changed.</exception>
    public static async ValueTask<Subject> Resource(Call c, string given, string type, bool change = false)
    {
        string id;
        try { id = Ids.Resource(given, Creator.Of(c)); }
        catch (FormatException) { throw Wrong.NoResource(given); }
        var s = await Catalogue.Resource(c.Store, id, c.Cancelled);
        if (s is null || !Sees(c, s) || (type != "generic" && s.Type != type)) throw Wrong.NoResource(given);
        return !change || Changes(c, s.Creator) ? s : throw Fault.Forbidden("metric:write");
    }

    public static async ValueTask<Metric> Metric(Call c, string given, bool change = false, int status = 404)
    {
        var m = Ids.Uuid(given) is { } id ? await Catalogue.Metric(c.Store, id, c.Cancelled) : null;
        if (m is null || !await Sees(c, m)) throw Wrong.NoMetric(given, status);
        return !change || Changes(c, m.Creator) ? m : throw Fault.Forbidden("metric:write");
    }

    public static async ValueTask<bool> Sees(Call c, Metric m) =>
        c.Allows("metric:get_all", default) || c.Allows("metric:get", new(m.Creator.Project)) || (m.Resource is { } r && await Catalogue.Resource(c.Store, r, c.Cancelled) is { } s && Sees(c, s));

    /// <summary>Does it again from the start while others write the same.</summary>
    public static async ValueTask<T> Repeat<T>(Func<ValueTask<T>> work)
    {
        for (var attempt = 0; ; attempt++)
        {
            try { return await work(); }
            catch (ConflictException) when (attempt < 20) { }
        }
    }
}
