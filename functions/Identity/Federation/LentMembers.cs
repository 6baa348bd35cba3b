using System.Globalization;
using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Somebody's part in a group for a while.</summary>
/// <param name="Origin">By whose word, as <see cref="Protocols.KeyOf"/> has it.</param>
internal sealed record LentMember(string Group, string User, string Origin, DateTimeOffset Until);

/// <summary>Groups that users have only by an identity provider's word: they are noted beside the others, and end.</summary>
internal static class LentMembers
{
    /// <summary>A user has these groups, and of all that came by the same word no other. What he has for good stays.</summary>
    public static async ValueTask Set(IEntityStore store, string user, IReadOnlyList<string> groups, string origin, DateTimeOffset until)
    {
        var lent = await Of(store, user);
        foreach (var old in lent.Where(m => m.Origin == origin && !groups.Contains(m.Group))) await Members.Remove(store, old.Group, user);
        var own = (await Members.GroupsOf(store, user)).Except(lent.Select(m => m.Group)).ToList();
        foreach (var group in groups.Except(own)) await Members.Add(store, group, user, $"{user}\n{origin}\n{until.ToUnixTimeSeconds()}");
    }

    /// <summary>What is lent to a user, or to all.</summary>
    public static async ValueTask<IReadOnlyList<LentMember>> Of(IEntityStore store, string? user = null) =>
        [.. (await Members.Noted(store, user)).Where(l => l.Length == 4).Select(l => new LentMember(l[0], l[1], l[2], DateTimeOffset.FromUnixTimeSeconds(long.Parse(l[3], CultureInfo.InvariantCulture))))];

    /// <summary>Ends what came by somebody's word.</summary>
    public static async ValueTask End(IEntityStore store, string origin)
    {
        foreach (var m in (await Of(store)).Where(m => m.Origin == origin)) await Members.Remove(store, m.Group, m.User);
    }

    /// <summary>Ends what was lent until now.</summary>
    public static async Task Sweep(Services s, CancellationToken ct)
    {
        foreach (var m in (await Of(s.Store)).Where(m => m.Until <= s.Now))
        {
            ct.ThrowIfCancellationRequested();
            await Members.Remove(s.Store, m.Group, m.User);
        }
    }
}
