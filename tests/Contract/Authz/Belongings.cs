using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Contract.Authz;

/// <summary>One of everything that paths name. A service is added to the matrix by saying here what the words of its paths stand for.</summary>
/// <param name="Ids">By the word before the argument in a path (users/{id}), or the argument's own name when another argument is before it.</param>
/// <param name="Owners">Whose it is, by the same words; what isn't here is the cloud's.</param>
/// <param name="Bodies">By method and word, where a request without sense would be refused before anybody asks who sends it.</param>
public sealed record Belongings(Dictionary<string, string> Ids, Dictionary<string, Target> Owners, Dictionary<string, string> Bodies)
{
    /// <summary>By method and word, of requests that mean nothing without one.</summary>
    public Dictionary<string, string> Queries { get; init; } = [];

    /// <summary>Words of collections that are always empty.</summary>
    public string[] Never { get; init; } = [];

    /// <summary>Words of definitions: which of these there are is no secret.</summary>
    public string[] Open { get; init; } = [];

    /// <summary>Ends of paths that were taken out of the API: so much is said to everybody.</summary>
    public string[] Gone { get; init; } = [];

    /// <summary>Actions that ask a host: whoever may waits for an answer.</summary>
    public string[] Waits { get; init; } = [];

    /// <summary>What else is a body of sense, by route; null for whatever comes of the route itself.</summary>
    public Func<Route, string?> Also { get; init; } = _ => null;

    /// <summary>The version that clients of the service speak, where it has several.</summary>
    public string? Newest { get; init; }

    public bool Covers(Route route) => route.Policy != Policy.Anyone && route.NotOffered is null && !Words(route).Any(Never.Contains) && !Array.Exists(Gone, end => route.Path.EndsWith(end, StringComparison.Ordinal));

    /// <summary>The words of a path's arguments, in their order.</summary>
    public static IReadOnlyList<string> Words(Route route)
    {
        var parts = route.Path.Split('/');
        // The project before all else is the caller's own.
        var first = route.Path.StartsWith("/v3/{project_id}", StringComparison.Ordinal) ? 2 : -1;
        return [.. parts.Select((p, i) => (p, i)).Where(x => x.i != first && x.p.StartsWith('{')).Select(x => x.i > 0 && parts[x.i - 1] is { Length: > 0 } word && word[0] != '{' ? word : x.p.Trim('{', '}', '*'))];
    }

    /// <param name="absent">Which of the arguments names nothing; -1 for none.</param>
    /// <param name="project">The caller's: paths that begin with one name his own, or the request has no sense.</param>
    public string Path(Slice slice, Route route, int absent = -1, string? project = null)
    {
        var (words, i) = (Words(route), 0);
        return $"/{slice.Prefix}" + string.Join('/', route.Path.Split('/').Select(p => !p.StartsWith('{') ? p : slice.Dialect.ProjectInPath && p == "{project_id}" ? project ?? Absent("") : i++ == absent ? Absent(words[i - 1]) : Ids.GetValueOrDefault(words[i - 1]) ?? throw new InvalidOperationException($"what '{words[i - 1]}' of {route.Path} stands for must be said in Furniture"))) + Queries.GetValueOrDefault($"{route.Method} {words.LastOrDefault()}");
    }

    /// <summary>An id that was never anything's.</summary>
    public static string Absent(string word) => word == "v1" ? "AUTH_" + new string('0', 32) : new string('0', 32);

    public Target? Owner(Route route) => Words(route).Where(Owners.ContainsKey).Select(w => (Target?)Owners[w]).FirstOrDefault();

    public string? Body(Route route)
    {
        if (route.Method is "GET" or "HEAD" or "DELETE") return null;
        if (Also(route) is { } said) return said;
        var last = route.Path.Split('/').Last(p => !p.StartsWith('{'));
        if (Bodies.TryGetValue($"{route.Method} {last}", out var body)) return body;
        var one = route.Action ?? route.Shape?.Name;
        return one is null ? "{}" : JsonSerializer.Serialize(new Dictionary<string, object> { [one] = new() });
    }
}
