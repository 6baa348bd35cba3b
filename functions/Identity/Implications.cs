using System.Text;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Which role brings which others with it, e.g. admin member, member reader.</summary>
public static class Implications
{
    private const string Partition = "implied-roles";

    private static string Key(string prior, string implied) => $"{Keys.Safe(prior)}|{Keys.Safe(implied)}";

    public static ValueTask Add(IEntityStore store, string prior, string implied) =>
        store.Commit(Partition, [new Op.Upsert(Key(prior, implied), Encoding.UTF8.GetBytes(prior + "\n" + implied))]);
    public static ValueTask Remove(IEntityStore store, string prior, string implied) => store.Commit(Partition, [new Op.Delete(Key(prior, implied))]);
    public static async ValueTask<bool> Has(IEntityStore store, string prior, string implied) => await store.Get(Partition, Key(prior, implied)) is not null;

    public static async ValueTask<ILookup<string, string>> All(IEntityStore store) =>
        (await store.List(Partition, "", char.MaxValue.ToString())).Select(r => Encoding.UTF8.GetString(r.Body.Span).Split('\n')).ToLookup(p => p[0], p => p[1]);

    /// <summary><paramref name="roles"/> and all that they bring, directly or through others.</summary>
    public static HashSet<string> Expand(IEnumerable<string> roles, ILookup<string, string> rules)
    {
        var all = new HashSet<string>();
        var open = new Stack<string>(roles);
        while (open.TryPop(out var role))
            if (all.Add(role))
                foreach (var implied in rules[role]) open.Push(implied);
        return all;
    }
}
