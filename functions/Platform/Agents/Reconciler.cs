using Cloud.Agents.Contract;
using Cloud.Platform.Sagas;

namespace Cloud.Platform.Agents;

/// <summary>Says which things on hosts belong to rows of one kind.</summary>
/// <param name="Prefix">Of the key on the host: disk, port, domain...</param>
/// <param name="Holds">True when this host may hold the thing with this id: while a row says so, even one that is being deleted, its saga sees to it.</param>
/// <param name="Remove">Gets rid of it.</param>
public sealed record Owner(string Prefix, Func<Services, string, string, ValueTask<bool>> Holds, Func<string, Command> Remove)
{
    /// <summary>
    /// All that this host should hold and what makes it so, with its fence, where saying it again at any time is harmless. It is said when
    /// the host lacks it, knows only an older fence, or failed to do what it was last told of it.
    /// </summary>
    public Func<Services, string, ValueTask<IReadOnlyList<HostCommand>>>? Wanted { get; init; }
    /// <summary>It is said only when the host lacks it.</summary>
    public bool OnlyMissing { get; init; }
}

/// <summary>
/// Compares what a host holds with what the rows say: removes leftovers of what was deleted while the host was away, and tells it what
/// it missed.
/// </summary>
public static class Reconciler
{
    public static async Task Compare(Services s, Inventory inventory, CancellationToken ct)
    {
        var owners = s.Slices.SelectMany(x => x.Owners).ToLookup(o => o.Prefix);
        var messages = new List<Bus.Message>();
        foreach (var item in inventory.Items)
        {
            if (item.Key.Split('/', 2) is not [var prefix, var id] || !owners.Contains(prefix)) continue;
            var held = false;
            foreach (var owner in owners[prefix]) held = held || await owner.Holds(s, inventory.Host, id);
            if (!held) messages.Add(Dispatch.Tell(s, inventory.Host, item.Fence + 1, owners[prefix].First().Remove(id)));
        }
        var there = inventory.Items.ToDictionary(i => i.Key);
        foreach (var owner in owners.SelectMany(o => o))
            foreach (var c in owner.Wanted is { } wanted ? await wanted(s, inventory.Host) : [])
                if (!there.TryGetValue(c.Command.Key, out var item) || ((item.Fence < c.Fence || item.Undone is true) && !owner.OnlyMissing)) messages.Add(Dispatch.Tell(s, inventory.Host, c.Fence ?? 0, c.Command));
        if (messages.Count > 0) await s.Bus.Send(messages, ct);
        foreach (var item in inventory.Items)
            if (item is { State: { Length: > 0 } state } && item.Key.Split('/', 2) is ["domain", var server])
                foreach (var slice in s.Slices)
                    if (slice.OnDomain is { } on) await on(s, new(inventory.Host, server, state, inventory.At ?? s.Now, item.Fence));
    }
}
