using Cloud.Agents.Contract;

namespace Cloud.Platform.Agents;

/// <summary>Says which things on hosts belong to rows of one kind.</summary>
/// <param name="Prefix">Of the key on the host: disk, port, domain...</param>
/// <param name="Holds">True when this host should hold the thing with this id.</param>
/// <param name="Remove">Gets rid of it.</param>
public sealed record Owner(string Prefix, Func<Services, string, string, ValueTask<bool>> Holds, Func<string, Command> Remove);

/// <summary>Compares what a host holds with what the rows say, and removes leftovers: what was deleted while the host was away.</summary>
public static class Reconciler
{
    public static async Task Compare(Services s, Inventory inventory, CancellationToken ct)
    {
        foreach (var item in inventory.Items)
        {
            var slash = item.Key.IndexOf('/', StringComparison.Ordinal);
            if (slash < 1) continue;
            var (prefix, id) = (item.Key[..slash], item.Key[(slash + 1)..]);
            var owners = s.Slices.SelectMany(x => x.Owners).Where(o => o.Prefix == prefix).ToList();
            var held = false;
            foreach (var owner in owners) held = held || await owner.Holds(s, inventory.Host, id);
            if (owners.Count > 0 && !held) await s.Bus.Send([Dispatch.Tell(s, inventory.Host, item.Fence + 1, owners[0].Remove(id))], ct);
        }
    }
}
