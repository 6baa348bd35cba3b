namespace Cloud.Tests.Model;

/// <summary>Something as clients see it.</summary>
public sealed class Thing(Sort sort, Who owner, string name)
{
    public Sort Sort => sort;
    public Who Owner => owner;
    public string Id { get; set; } = "";
    public string Name { get; set; } = name;
    public string Status { get; set; } = "";
    /// <summary>What the status becomes when the work that was begun has ended.</summary>
    public string? Then { get; set; }
    public int Size { get; set; }
    /// <summary>Who else sees it: private, shared (by name, so nobody), community, public.</summary>
    public string Seen { get; set; } = "private";
    /// <summary>A port's network, a volume's server.</summary>
    public Thing? On { get; set; }
    /// <summary>It is being deleted; gone when that has ended.</summary>
    public bool Doomed { get; set; }
    public bool Gone { get; set; }
}

/// <summary>
/// What the cloud promises its clients of limits, visibility, states and lists, as simply as it can be said: no hosts, sagas, revisions or messages.
/// Each step is answered with a status and changes what there is.
/// </summary>
public sealed class CloudModel
{
    /// <summary>Addresses of the external network.</summary>
    public const int Pool = 4;

    /// <summary>What projects begin with: small, so that they are met.</summary>
    public static readonly IReadOnlyDictionary<string, int> Limits = new Dictionary<string, int> { ["volumes"] = 3, ["gigabytes"] = 8, ["network"] = 3, ["port"] = 4, ["floatingip"] = 2, ["instances"] = 2 };

    private readonly Dictionary<(Who, string), int> _limits = Enum.GetValues<Who>().SelectMany(w => Limits.Select(l => (Key: (w, l.Key), l.Value))).ToDictionary(l => l.Key, l => l.Value);

    /// <summary>In the order in which they were made. The first two are the administrator's and nobody's to touch.</summary>
    public List<Thing> All { get; } =
    [
        new(Sort.Network, Who.Admin, "ext") { Status = "ACTIVE", Seen = "external" }, new(Sort.Image, Who.Admin, "tiny") { Status = "active", Seen = "public" },
    ];

    private IEnumerable<Thing> Live(Sort sort) => All.Where(t => t.Sort == sort && !t.Gone);

    /// <summary>The thing that a number names; null for one that never was.</summary>
    public Thing? Pick(Sort sort, int which) => All.Skip(2).Where(t => t.Sort == sort).ToList() is var all && which % (all.Count + 1) is var at && at < all.Count ? all[at] : null;

    public static string LimitOf(Sort sort, int with) => sort switch { Sort.Volume => with % 8 < 4 ? "volumes" : "gigabytes", Sort.Network => "network", Sort.Port => "port", Sort.FloatingIp => "floatingip", _ => "instances" };

    public int Used(Who project, string limit) => limit switch
    {
        "volumes" => Live(Sort.Volume).Count(t => t.Owner == project),
        "gigabytes" => Live(Sort.Volume).Where(t => t.Owner == project).Sum(t => t.Size),
        "network" => Live(Sort.Network).Count(t => t.Owner == project),
        "port" => Live(Sort.Port).Count(t => t.Owner == project),
        "floatingip" => Live(Sort.FloatingIp).Count(t => t.Owner == project),
        _ => Live(Sort.Server).Count(t => t.Owner == project),
    };

    private bool Fits(Who project, string limit, int more) => _limits[(project, limit)] is var most && (most < 0 || Used(project, limit) + more <= most);

    private static bool Mine(Who who, Thing t) => who == Who.Admin || who == t.Owner;

    /// <summary>Whether somebody finds it by its id.</summary>
    public static bool Sees(Who who, Thing t) => !t.Gone && !(t.Doomed && t.Sort is Sort.Port or Sort.FloatingIp) && (Mine(who, t) || t.Seen is "public" or "community" or "external");

    /// <summary>What a list shows, in its order.</summary>
    public IReadOnlyList<Thing> Listed(Who who, Sort sort)
    {
        var shown = Live(sort).Where(t => Sees(who, t) && (t.Seen != "community" || t.Owner == who));
        return [.. sort is Sort.Volume or Sort.Image or Sort.Server ? shown.Reverse() : shown];
    }

    /// <summary>All that was begun comes to its end.</summary>
    public void Rest()
    {
        foreach (var t in All.Where(t => !t.Gone))
        {
            if (t.Doomed) t.Gone = true;
            (t.Status, t.Then) = (t.Then ?? t.Status, null);
        }
        foreach (var v in All.Where(t => t is { Sort: Sort.Volume, On: not null }))
            if (v.On!.Gone || v.Status == "available") (v.On, v.Status) = (null, "available");
    }

    /// <returns>The status that the request must be answered with.</returns>
    public int Answer(Step s)
    {
        if (s.Do is Do.Bad) return 400;
        if (s.Do is Do.List) return 200;
        if (s.Do is Do.Create) return Create(s);
        if (s.Do is Do.Limit) return Limit(s);
        if (Pick(s.Sort, s.Which) is not { } t || !Sees(s.Who, t)) return 404;
        if (s.Do is Do.Show) return 200;
        if (!Mine(s.Who, t)) return 403;
        return s.Do switch
        {
            Do.Rename => Rename(t, s.With),
            Do.Delete => Delete(t),
            Do.Share => Share(s, t),
            Do.Fill => t.Status == "queued" ? Now(t, "active", 204) : 409,
            Do.Grow => Grow(t, s.With % 3),
            Do.Stop => Turn(t, "ACTIVE", "SHUTOFF"),
            Do.Start => Turn(t, "SHUTOFF", "ACTIVE"),
            Do.Attach => Attach(t, Pick(Sort.Volume, s.With)),
            _ => Detach(t, Pick(Sort.Volume, s.With)),
        };
    }

    /// <summary>What the last creation made.</summary>
    public Thing? Made { get; private set; }

    private int Create(Step s)
    {
        Made = null;
        Thing Make(string status, string? then = null) => Made = new(s.Sort, s.Who, NameOf(s.With)) { Status = status, Then = then };
        switch (s.Sort)
        {
            case Sort.Volume:
                if (!Fits(s.Who, "volumes", 1) || !Fits(s.Who, "gigabytes", SizeOf(s.With))) return 413;
                Make("creating", "available").Size = SizeOf(s.With);
                break;
            case Sort.Network:
                if (!Fits(s.Who, "network", 1)) return 409;
                Make("ACTIVE");
                break;
            case Sort.Port:
                if (Pick(Sort.Network, s.Which) is not { } network || !Sees(s.Who, network)) return 404;
                if (!Fits(s.Who, "port", 1)) return 409;
                Make("DOWN").On = network;
                break;
            case Sort.FloatingIp:
                if (!Fits(s.Who, "floatingip", 1) || Live(Sort.FloatingIp).Count(t => !t.Doomed) == Pool) return 409;
                Make("DOWN");
                break;
            case Sort.Image:
                Make("queued").Seen = "shared";
                break;
            default:
                if (!Fits(s.Who, "instances", 1)) return 403;
                Make("BUILD", "ACTIVE");
                break;
        }
        All.Add(Made!);
        return s.Sort is Sort.Volume or Sort.Server ? 202 : 201;
    }

    public static string NameOf(int with) => $"n{with % 5}";
    public static int SizeOf(int with) => 1 + with % 4;
    public static string SeenBy(int with) => ((string[])["private", "shared", "community", "public"])[with % 4];

    private int Limit(Step s)
    {
        var (project, limit, most) = ((Who)(s.Which % 3), LimitOf(s.Sort, s.With), s.With % 5 - 1);
        if (s.Who != Who.Admin) return 403;
        // Neutron sets limits below what is used, Nova and Cinder don't.
        if (s.Sort is Sort.Volume or Sort.Server && most >= 0 && Used(project, limit) > most) return 400;
        _limits[(project, limit)] = most;
        return 200;
    }

    private static int Rename(Thing t, int with)
    {
        t.Name = NameOf(with);
        return 200;
    }

    private int Delete(Thing t)
    {
        switch (t.Sort)
        {
            case Sort.Volume when t.Doomed: return 202;
            case Sort.Volume when t.Status != "available": return 400;
            case Sort.Volume: t.Status = "deleting"; break;
            case Sort.Network when Live(Sort.Port).Any(p => p.On == t && !p.Doomed): return 409;
            case Sort.Network or Sort.Image: t.Gone = true; break;
            case Sort.Server: t.Then = null; break;
        }
        t.Doomed = true;
        return t.Sort == Sort.Volume ? 202 : 204;
    }

    private int Share(Step s, Thing t)
    {
        if (t.Sort == Sort.Image)
        {
            if (SeenBy(s.With) == "public" && t.Seen != "public" && s.Who != Who.Admin) return 403;
            t.Seen = SeenBy(s.With);
            return 200;
        }
        var shared = s.With % 2 == 0;
        if (shared && t.Seen == "private" && s.Who != Who.Admin) return 403;
        if (!shared && t.Seen == "public" && Live(Sort.Port).Any(p => p.On == t && p.Owner != t.Owner)) return 409;
        t.Seen = shared ? "public" : "private";
        return 200;
    }

    private static int Now(Thing t, string status, int answer)
    {
        t.Status = status;
        return answer;
    }

    private int Grow(Thing t, int more)
    {
        if (t.Status != "available" || more == 0) return 400;
        if (!Fits(t.Owner, "gigabytes", more)) return 413;
        (t.Status, t.Then, t.Size) = ("extending", "available", t.Size + more);
        return 202;
    }

    private static bool Ready(Thing server) => !server.Doomed && server.Then is null;

    private static int Turn(Thing t, string from, string to)
    {
        if (!Ready(t) || t.Status != from) return 409;
        t.Then = to;
        return 202;
    }

    // Always followed by a rest: which of two that want the same volume gets it is nobody's promise.
    private static int Attach(Thing server, Thing? volume)
    {
        if (volume is null || volume.Gone || volume.Doomed || volume.Owner != server.Owner) return 404;
        if (volume.Status != "available") return 400;
        if (!Ready(server)) return 409;
        (volume.On, volume.Then) = (server, "in-use");
        return 200;
    }

    private static int Detach(Thing server, Thing? volume)
    {
        if (volume?.On != server || volume.Gone) return 404;
        if (!Ready(server)) return 409;
        volume.Then = "available";
        return 202;
    }
}
