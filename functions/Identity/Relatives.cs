using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>What of a project's family is shown with it: parents_as_list, parents_as_ids, subtree_as_list, subtree_as_ids.</summary>
internal static class Relatives
{
    public static async ValueTask<Action<Utf8JsonWriter, Call, Project, bool>?> Of(Call c, Project project)
    {
        bool Wants(string key) => c.First(key) is { } v && v is not ("false" or "False" or "0");
        if (!(Wants("parents_as_list") || Wants("parents_as_ids") || Wants("subtree_as_list") || Wants("subtree_as_ids"))) return null;
        var parents = (await Tree.Parents(c.Store, project)).Where(p => Sees(c, p)).ToList();
        var below = Tree.Below(await Directory.Projects.InProject(c.Store, ""), project.Id).Where(p => Sees(c, p)).ToList();
        return (w, call, p, detail) =>
        {
            Projects.Kind.Extend!(w, call, p, detail);
            if (Wants("parents_as_list")) List(w, call, "parents", parents);
            else if (Wants("parents_as_ids"))
            {
                w.WritePropertyName("parents");
                Up(w, p, parents, 0);
            }
            if (Wants("subtree_as_list")) List(w, call, "subtree", below);
            else if (Wants("subtree_as_ids"))
            {
                w.WritePropertyName("subtree");
                Down(w, p.Id, below.ToLookup(x => x.ParentId));
            }
        };
    }

    private static bool Sees(Call c, Project p) => c.Allows("identity:get_project", Projects.Kind.TargetOf(p));

    private static void List(Utf8JsonWriter w, Call c, string name, List<Project> projects)
    {
        w.WriteStartArray(name);
        foreach (var p in projects)
        {
            w.WriteStartObject();
            w.WritePropertyName("project");
            Projects.Kind.WriteItem(w, c, p);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    // {parent: {its parent: ... {domain: null}}}
    private static void Up(Utf8JsonWriter w, Project p, List<Project> parents, int at)
    {
        w.WriteStartObject();
        if (at < parents.Count)
        {
            w.WritePropertyName(parents[at].Id);
            Up(w, p, parents, at + 1);
        }
        else w.WriteNull(p.DomainId!);
        w.WriteEndObject();
    }

    private static void Down(Utf8JsonWriter w, string id, ILookup<string?, Project> children)
    {
        if (!children[id].Any())
        {
            w.WriteNullValue();
            return;
        }
        w.WriteStartObject();
        foreach (var child in children[id])
        {
            w.WritePropertyName(child.Id);
            Down(w, child.Id, children);
        }
        w.WriteEndObject();
    }
}
