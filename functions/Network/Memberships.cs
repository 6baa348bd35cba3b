using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Network;

/// <summary>
/// Hosts know who the members of groups are. What is noted for that stands apart from the group: its row and its events are for what
/// tenants change in it.
/// </summary>
public static class Memberships
{
    public static readonly Saga<Membership> Sync = Saga<Membership>.Named("membership-sync-1", Tables.Memberships)
        .Insist()
        .Agent("members", async w =>
        {
            var batch = new Specs.Batch();
            var commands = await Specs.Members(w.Services, w.Item.ProjectId, [w.Item.Id], batch);
            w.Item = w.Item with { Reach = commands.Max(c => (int?)((EnsureGroup)c.Command).Addresses.Length) ?? 0 };
            return await batch.Up(w.Services, commands);
        })
        .Finished(w => { w.Item = w.Item with { Again = false }; return ValueTask.CompletedTask; })
        .Again(m => m.Again ? Gathers(m) : null);

    // A new member is known to the others after this. The more there are the more is gathered first: members that come by the hundred don't mean the square of it.
    private static TimeSpan Gathers(Membership m) => TimeSpan.FromSeconds(1) + TimeSpan.FromMilliseconds(Math.Min(m.Reach, 2000));
    // How far the clocks of two processes may be apart.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(0.3);

    /// <summary>Hosts must be told anew who is a member of this group. What came by the hundred is written once or twice.</summary>
    public static async ValueTask Changed(Services s, string project, string group, Change change)
    {
        while (true)
        {
            try
            {
                var was = await Tables.Memberships.Get(s.Store, project, group);
                var item = was?.Item ?? new() { Id = group, ProjectId = project, CreatedAt = s.Now };
                var sync = item.Saga is { } saga && await s.Store.Get(project, SagaRow.KeyOf(saga)) is { } row ? Json.Read<SagaRow>(row.Body) : null;
                // One that waits for hosts has looked before, and needn't hold up the next.
                if (sync is not { Waiting: [] }) await Sync.Begin(s, item with { Again = false }, was, change, after: Gathers(item));
                // One that begins later will see this change as well. Of one that may be looking now nobody can tell: another follows it.
                else if (!item.Again && sync.Begins <= s.Now + Skew) await Tables.Memberships.Save(s, item with { Again = true }, was, change);
                return;
            }
            catch (ConflictException) { /* it changed meanwhile */ }
        }
    }

    /// <summary>Of groups that are gone.</summary>
    public static readonly Leftovers Orphans = new("memberships", async (s, ct) =>
    {
        var groups = (await Tables.SecurityGroups.Everywhere(s.Store, ct)).Select(g => g.Id).ToHashSet();
        var (from, to) = Keys.Range(Tables.Memberships.Prefix);
        return await s.Store.Scan(from, to, ct).Where(r => !groups.Contains(r.Key[Tables.Memberships.Prefix.Length..])).ToListAsync(ct);
    });
}
