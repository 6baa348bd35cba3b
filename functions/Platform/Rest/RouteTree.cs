namespace Cloud.Platform.Rest;

/// <summary>Finds routes by path: literal segments before named ones, <c>{rest*}</c> last.</summary>
internal sealed class RouteTree
{
    private sealed class Node
    {
        public readonly Dictionary<string, Node> Literal = new(StringComparer.Ordinal);
        public Node? Named;
        public bool Rest;
        public readonly List<Route> Routes = [];
    }

    // Tests make thousands of clouds of the same tables.
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<object, RouteTree> s_known = [];
    private readonly Node _root = new();

    /// <summary>The tree of a table, made once.</summary>
    public static RouteTree Of(IReadOnlyList<Route> routes) => s_known.GetValue(routes, _ => new(routes));

    private RouteTree(IEnumerable<Route> routes)
    {
        foreach (var route in routes)
        {
            var node = _root;
            foreach (var part in Split(route.Path))
            {
                if (part[0] != '{') node = node.Literal.TryGetValue(part, out var next) ? next : node.Literal[part] = new();
                else node = node.Named ??= new() { Rest = part.EndsWith("*}", StringComparison.Ordinal) };
            }
            node.Routes.Add(route);
        }
    }

    /// <summary>All routes of the path, whatever the method; empty when there is none.</summary>
    public IReadOnlyList<Route> Find(string path) => Walk(_root, Split(path), 0) ?? [];

    private static List<Route>? Walk(Node node, string[] parts, int at)
    {
        if (at == parts.Length) return node.Routes.Count > 0 ? node.Routes : null;
        if (node.Literal.TryGetValue(parts[at], out var literal) && Walk(literal, parts, at + 1) is { } found) return found;
        if (node.Named is not { } named) return null;
        return named.Rest ? named.Routes : Walk(named, parts, at + 1);
    }

    /// <summary>The values of a route's names in a path it matched, percent-decoded.</summary>
    public static void Fill(Dictionary<string, string> args, string pattern, string path)
    {
        args.Clear();
        var (names, values) = (Split(pattern), Split(path));
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i][0] != '{') continue;
            if (names[i].EndsWith("*}", StringComparison.Ordinal)) args[names[i][1..^2]] = Uri.UnescapeDataString(string.Join('/', values[i..]));
            else args[names[i][1..^1]] = Uri.UnescapeDataString(values[i]);
        }
    }

    private static string[] Split(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);
}
