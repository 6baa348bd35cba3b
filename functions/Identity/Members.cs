using System.Text;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Who is in which group: two rows each, so that both sides are one range read. Their text is the other side's id; a note may follow on its next lines.</summary>
public static class Members
{
    private const string Partition = "members";

    private static Op[] Rows(string group, string user, Func<string, string, Op> op) =>
        [op($"g{Keys.Safe(group)}|{Keys.Safe(user)}", user), op($"u{Keys.Safe(user)}|{Keys.Safe(group)}", group)];

    public static ValueTask Add(IEntityStore store, string group, string user, string note = "") =>
        store.Commit(Partition, Rows(group, user, (key, other) => new Op.Upsert(key, Encoding.UTF8.GetBytes(note.Length == 0 ? other : $"{other}\n{note}"))));
    public static ValueTask Remove(IEntityStore store, string group, string user) => store.Commit(Partition, Rows(group, user, (key, _) => new Op.Delete(key)));
    public static async ValueTask<bool> Has(IEntityStore store, string group, string user) => await store.Get(Partition, $"g{Keys.Safe(group)}|{Keys.Safe(user)}") is not null;
    public static ValueTask<IReadOnlyList<string>> UsersOf(IEntityStore store, string group) => Others(store, $"g{Keys.Safe(group)}|");
    public static ValueTask<IReadOnlyList<string>> GroupsOf(IEntityStore store, string user) => Others(store, $"u{Keys.Safe(user)}|");

    /// <summary>Groups and notes of a user's rows, or of all users'.</summary>
    internal static ValueTask<IReadOnlyList<string[]>> Noted(IEntityStore store, string? user) => Lines(store, user is null ? "u" : $"u{Keys.Safe(user)}|");

    private static async ValueTask<IReadOnlyList<string>> Others(IEntityStore store, string prefix) => [.. (await Lines(store, prefix)).Select(l => l[0])];

    private static async ValueTask<IReadOnlyList<string[]>> Lines(IEntityStore store, string prefix)
    {
        var (from, to) = Keys.Range(prefix);
        return [.. (await store.List(Partition, from, to)).Select(r => Encoding.UTF8.GetString(r.Body.Span).Split('\n'))];
    }
}
