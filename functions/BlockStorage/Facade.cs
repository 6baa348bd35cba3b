using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>What compute asks of block storage: volumes for servers. Every call may be repeated.</summary>
public static class Facade
{
    /// <param name="project">Of the server that is to get it.</param>
    /// <exception cref="Fault">404 or 400 unless the caller may attach it to something on this host.</exception>
    public static async ValueTask Check(Call c, string id, string? project, string? host, bool bootable = false)
    {
        var v = (await Volumes.Rows.Find(c.Store, id, project, c.Cancelled))?.Item;
        if (v is null or { Doomed: true } || v.ProjectId != project) throw new Fault(404, $"Volume {id} could not be found.");
        if (v.Status != "available") throw Fault.BadRequest($"Invalid volume: volume {id} status must be 'available'. Currently in '{v.Status}'");
        if (v.ReadOnly == true) throw Fault.BadRequest($"Invalid volume: volume {id} is read-only, and guests here write on what they have.");
        if (bootable && v.Bootable != "true") throw Fault.BadRequest($"Block Device {id} is not bootable.");
        if (host is not null && v.Host.Length > 0 && v.Host != host) throw Fault.BadRequest($"Invalid volume: volume {id} is on another host than the server.");
    }

    /// <summary>The volume is this server's from now on.</summary>
    public static ValueTask Reserve(Services s, string project, string id, string server, string host, string device, Change change, Stays stays) => Set(s, project, id, change, v =>
        v.Attachment is not null && !Has(v, server) ? throw new SagaFault($"Volume {id} is attached to another server.")
        : v.Host.Length > 0 && v.Host != host ? throw new SagaFault($"Volume {id} is on another host.")
        : v.Attachment is not null ? v
        : v.ReadOnly == true ? throw new SagaFault($"Volume {id} is read-only.")
        : v.Status != "available" ? throw new SagaFault($"Volume {id} is {v.Status}.")
        : v with { Status = "attaching", Host = host, Attachment = new(s.Ids.New(), server, "/dev/" + device, s.Now) }, missing: id, stays);

    public static async ValueTask<HostCommand?> Disk(Services s, string project, string id) => await Volumes.Rows.Get(s.Store, project, id) is { } v ? await VolumeSagas.Disk(s, v.Item) : null;

    public static ValueTask Attached(Services s, string project, string id, string server, Change change) =>
        Set(s, project, id, change, v => Has(v, server) && (v.Status != "in-use" || !v.HasBytes) ? v with { Status = "in-use", HasBytes = true } : v);

    public static ValueTask Detaching(Services s, string project, string id, string server, Change change) =>
        Set(s, project, id, change, v => Has(v, server) ? v with { Status = "detaching" } : v);

    /// <summary>Free again. One that never came so far as to hold bytes may go to any host the next time.</summary>
    public static ValueTask Detached(Services s, string project, string id, string server, Change change) =>
        Set(s, project, id, change, v => Has(v, server) ? v with { Status = "available", Attachment = null, Host = v.HasBytes ? v.Host : "" } : v);

    /// <summary>Removes the disks of volumes that were reserved for this server and never came so far as to hold bytes.</summary>
    public static async ValueTask<IReadOnlyList<HostCommand>> Unmake(Services s, string project, string server, IEnumerable<string> volumes)
    {
        var commands = new List<HostCommand>();
        foreach (var id in volumes)
            if ((await Volumes.Rows.Get(s.Store, project, id))?.Item is { HasBytes: false, Host.Length: > 0 } v && Has(v, server))
                commands.Add(new(v.Host, new RemoveDisk(v.Id), v.Revision + 1));
        return commands;
    }

    private static bool Has(Volume v, string server) => v.Attachment is { ByCompute: true } a && a.ServerId == server;

    /// <summary>Where its bytes are; empty while it has none, null when it is gone.</summary>
    public static async ValueTask<string?> HostOf(Services s, string project, string id) => (await Volumes.Rows.Get(s.Store, project, id))?.Item.Host;

    /// <summary>Starts the removal of a volume that was to go with its server.</summary>
    public static async ValueTask Delete(Services s, string project, string id, Change change)
    {
        while (await Volumes.Rows.Get(s.Store, project, id) is { Item: { Doomed: false, Attachment: null } } was)
            try { await VolumeSagas.Removal.Begin(s, was.Item with { Status = "deleting" }, was, change); }
            catch (ConflictException) { /* it changed meanwhile */ }
    }

    private static async ValueTask Set(Services s, string project, string id, Change change, Func<Volume, Volume> apply, string? missing = null, Stays? stays = null)
    {
        while (await Volumes.Rows.Get(s.Store, project, id) is { } was)
        {
            var now = apply(was.Item);
            if (ReferenceEquals(now, was.Item)) return;
            try
            {
                await Volumes.Rows.Save(s, now, was, change, stays?.Rows);
                return;
            }
            catch (ConflictException)
            {
                // It changed meanwhile.
                if (stays is not null) await stays.Require(s.Store);
            }
        }
        if (missing is not null) throw new SagaFault($"Volume {missing} is gone.");
    }
}
