using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Projects within projects within domains.</summary>
public static class Tree
{
    public const int MaxDepth = 5;

    /// <summary>A project's parents from the nearest on.</summary>
    public static async ValueTask<IReadOnlyList<Project>> Parents(IEntityStore store, Project project)
    {
        var parents = new List<Project>();
        for (var at = project; at.ParentId is { } id && id != at.DomainId && parents.Count <= MaxDepth;)
        {
            if ((await Directory.Projects.Get(store, "", id))?.Item is not { } parent) break;
            parents.Add(at = parent);
        }
        return parents;
    }

    /// <summary>The scopes whose inherited grants reach a project: its parents and its domain.</summary>
    public static async ValueTask<IReadOnlyList<(char Kind, string Id)>> Above(IEntityStore store, string projectId) =>
        (await Directory.Projects.Get(store, "", projectId))?.Item is { } project ? [.. (await Parents(store, project)).Select(p => ('p', p.Id)), ('d', project.DomainId!)] : [];

    /// <summary>All projects below one, nearest first.</summary>
    public static IReadOnlyList<Project> Below(IReadOnlyList<Project> all, string projectId)
    {
        var below = new List<Project>();
        var children = all.ToLookup(p => p.ParentId);
        var open = new Queue<string>([projectId]);
        while (open.TryDequeue(out var at))
            foreach (var child in children[at])
            {
                below.Add(child);
                open.Enqueue(child.Id);
            }
        return below;
    }
}
