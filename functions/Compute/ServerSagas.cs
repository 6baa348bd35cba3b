using Cloud.Agents.Contract;
using Cloud.Placement;
using Cloud.Platform;
using Cloud.Platform.Agents;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>How servers come, change and go.</summary>
public static class ServerSagas
{
    /// <summary>auth, image, network, volume, boot.</summary>
    public static readonly Saga<Server> Creation = Saga<Server>.Named("server-create-1", Servers.Rows)
        .Step("auth", Authorize)
        .Step("schedule", Schedule, undo: Unschedule)
        .Agent("image", async w => w.Item.ImageId is null ? [] : [await ServerSpecs.RootDisk(w.Services, w.Item)], undo: w => new(RemoveRoot(w.Item)))
        .Undo("ports", w => Network.Facade.Release(w.Services, w.Item.ProjectId, w.Item.Id, Made(w.Item), w.Change))
        // From the moment a port is there, changes of its security groups may plug it.
        .Step("network", TakePorts, undoOnHosts: w => Network.Facade.Unplug(w.Services, w.Item.ProjectId, w.Item.Id))
        .Agent("plug", w => Network.Facade.Plug(w.Services, w.Item.ProjectId, w.Item.Nics.Select(n => n.PortId)))
        .Step("volume", ReserveVolumes, undo: async w => { foreach (var v in w.Item.Volumes) await BlockStorage.Facade.Detached(w.Services, w.Item.ProjectId, v.VolumeId, w.Item.Id, w.Change); })
        .Agent("disks", w => VolumeDisks(w, w.Item.Volumes), undo: Unmake)
        .Agent("boot", async w => [await ServerSpecs.Ensure(w.Services, w.Item)], undo: w => new(RemoveGuest(w.Item)), done: Heard)
        .Insist()
        .Step("settle", Settle)
        .Finished(w => { w.Item = w.Item with { Status = "ACTIVE", Task = null, LaunchedAt = w.Services.Now, AdminPass = w.Item.AdminPass }; return ServerHistory.End(w); })
        .Failed(w => { w.Item = w.Item with { Status = "ERROR", Task = null, Fault = w.Error, FaultAt = w.Services.Now, Host = "", Nics = [], Volumes = [] }; return ServerHistory.End(w); })
        .Deadline(TimeSpan.FromMinutes(15));

    /// <summary>Works from the row alone, whatever of the creation was done: it supersedes it.</summary>
    public static readonly Saga<Server> Removal = Saga<Server>.Deleting("server-delete-1", Servers.Rows)
        .Agent("guest", w => new(RemoveGuest(w.Item)))
        .Agent("unplug", w => Network.Facade.Unplug(w.Services, w.Item.ProjectId, w.Item.Id))
        .Agent("disk", async w => [.. RemoveRoot(w.Item), .. await Unmake(w)])
        .Step("network", w => Network.Facade.Release(w.Services, w.Item.ProjectId, w.Item.Id, Made(w.Item), w.Change))
        .Step("volume", async w =>
        {
            foreach (var v in w.Item.Volumes) await BlockStorage.Facade.Detached(w.Services, w.Item.ProjectId, v.VolumeId, w.Item.Id, w.Change);
            foreach (var v in w.Item.Volumes.Where(v => v.DeleteOnTermination)) await BlockStorage.Facade.Delete(w.Services, w.Item.ProjectId, v.VolumeId, w.Change);
        })
        .Step("room", async w =>
        {
            await Unschedule(w);
            await ServerHistory.Forget(w);
        });

    /// <summary>Makes power, volumes and interfaces what the row says; entries carry what is still to be done with them.</summary>
    public static readonly Saga<Server> Sync = Saga<Server>.Named("server-sync-1", Servers.Rows)
        .Undo("release", Unreserve)
        .Step("reserve", async w =>
        {
            await TakePorts(w);
            foreach (var v in w.Item.Volumes.Where(v => v.State == "attaching")) await BlockStorage.Facade.Reserve(w.Services, w.Item.ProjectId, v.VolumeId, w.Item.Id, w.Item.Host, v.Device, w.Change, w.Stays);
            foreach (var v in w.Item.Volumes.Where(v => v.State == "detaching")) await BlockStorage.Facade.Detaching(w.Services, w.Item.ProjectId, v.VolumeId, w.Item.Id, w.Change);
        }, undoOnHosts: w => Unplug(w, "attaching"))
        .Agent("prepare", async w => [.. await VolumeDisks(w, w.Item.Volumes.Where(v => v.State == "attaching")), .. await Network.Facade.Plug(w.Services, w.Item.ProjectId, w.Item.Nics.Where(n => n.State == "attaching").Select(n => n.PortId))],
            // The guest too: another change, which this one superseded, may have come as far as that.
            undo: async w => [.. await Restore(w), .. await Unmake(w)])
        .Agent("guest", async w => [await ServerSpecs.Ensure(w.Services, w.Item)], undo: Restore, done: Heard)
        .Insist()
        .Agent("unplug", w => Unplug(w, "detaching"))
        .Step("settle", Settle)
        .Finished(w => { w.Item = w.Item with { Status = StatusOf(w.Item), Task = null }; return ServerHistory.End(w); })
        .Failed(GiveUp)
        .Deadline(TimeSpan.FromMinutes(5));

    public static readonly Saga<Server> Reboot = Saga<Server>.Named("server-reboot-1", Servers.Rows)
        .Agent("reboot", async w => w.Item.Power == PowerState.Running && w.Item.Task != "powering-on" ? [new HostCommand(w.Item.Host, new RebootDomain(w.Item.Id, w.Item.SoftReboot, w.SagaId))] : [await ServerSpecs.Ensure(w.Services, w.Item)], done: Heard)
        .Finished(w => { w.Item = w.Item with { Status = "ACTIVE", Task = null }; return ServerHistory.End(w); })
        .Failed(GiveUp);

    /// <summary>Room that is kept for a server which isn't there, or is elsewhere.</summary>
    public static readonly Leftovers Unhoused = new("allocations", async (s, ct) =>
    {
        var stale = new List<Row>();
        await foreach (var row in s.Store.Partitions(Placement.Facade.Prefix, ct))
            if (Placement.Facade.Read(row) is { } a && !((await Servers.Rows.Find(s.Store, a.Consumer, a.ProjectId, ct))?.Item is { } server && Placement.Facade.IsAt(row, server.Host))) stale.Add(row);
        return stale;
    }, async (s, row) => await Placement.Facade.Release(s.Store, row));

    public static string StatusOf(Server s) => s.Power switch { PowerState.Running => "ACTIVE", PowerState.Paused => "PAUSED", _ => "SHUTOFF" };

    private static void Heard(Work<Server> w, IReadOnlyList<Result?> results) => w.Item = w.Item with { Heard = w.Fence };

    private static IEnumerable<string> Made(Server s) => s.Nics.Where(n => n.Made).Select(n => n.PortId);

    private static HostCommand[] RemoveGuest(Server s) => s.Host.Length > 0 ? [new(s.Host, new RemoveDomain(s.Id))] : [];
    private static HostCommand[] RemoveRoot(Server s) => s.Host.Length > 0 && s.ImageId is not null ? [new(s.Host, new RemoveDisk(s.Id))] : [];

    private static async ValueTask Authorize(Work<Server> w)
    {
        if (!await Identity.Facade.Lives(w.Services, w.Item.ProjectId)) throw new SagaFault("The project is gone or disabled.");
    }

    private static async ValueTask Schedule(Work<Server> w)
    {
        var s = w.Item;
        var wanted = ServerSpecs.Needs(s);
        var volumeHost = (string?)null;
        foreach (var v in s.Volumes)
            if (await BlockStorage.Facade.HostOf(w.Services, s.ProjectId, v.VolumeId) is { Length: > 0 } at) volumeHost = at;
        var silent = false;
        foreach (var host in (await Placement.Facade.Candidates(w.Services, wanted)).OrderByDescending(h => h.Name == s.Host))
        {
            if ((s.WantedHost ?? host.Name) != host.Name || (volumeHost ?? host.Name) != host.Name || (s.Zone.Length > 0 && s.Zone != host.Capacity.Zone)) continue;
            if (!Hosts.IsUp(w.Services, host))
            {
                silent = true;
                continue;
            }
            // A kill after an earlier claim elsewhere must not leave it: the row remembers the host before the room is taken.
            if (s.Host != host.Name) await Remember(w, host);
            if (await Placement.Facade.Claim(w.Store, host, new(s.Id, s.ProjectId, s.UserId, wanted))) return;
        }
        const string None = "No valid host was found. There are not enough hosts available.";
        throw silent ? new SilenceFault(None) : new SagaFault(None);
    }

    private static async ValueTask Remember(Work<Server> w, HostRow host)
    {
        var was = await Servers.Rows.Get(w.Store, w.Item.ProjectId, w.Item.Id);
        if (was is null || was.Item.Revision != w.Item.Revision) throw new ConflictException(w.Item.Id);
        // Who stood still after reading that there is no host yet would move a server that runs.
        Op[] still = w.Stays.Saga is { } saga ? [saga] : [];
        await Servers.Rows.Save(w.Services, was.Item with { Host = host.Name, Zone = host.Capacity.Zone, Task = "spawning" }, was, w.Change, still);
        // Not before: another run of this step may have taken that room again, and the row.
        if (was.Item.Host.Length > 0) await Placement.Facade.Release(w.Store, was.Item.Host, w.Item.Id);
        // The row moved on under this turn: it starts again, and finds the host it chose.
        throw new ConflictException(w.Item.Id);
    }

    private static async ValueTask Unschedule(Work<Server> w)
    {
        if (w.Item.Host.Length > 0) await Placement.Facade.Release(w.Store, w.Item.Host, w.Item.Id);
    }

    private static async ValueTask TakePorts(Work<Server> w)
    {
        foreach (var n in w.Item.Nics.Where(n => n.State == "attaching"))
            await Network.Facade.Take(w.Services, n.PortId, new(n.Made ? null : n.PortId, n.NetworkId, n.FixedIp), w.Item.ProjectId, w.Item.Id, w.Item.Host, w.Item.Hostname, w.Item.Groups, w.Change, w.Stays);
    }

    private static async ValueTask ReserveVolumes(Work<Server> w)
    {
        foreach (var v in w.Item.Volumes) await BlockStorage.Facade.Reserve(w.Services, w.Item.ProjectId, v.VolumeId, w.Item.Id, w.Item.Host, v.Device, w.Change, w.Stays);
    }

    private static async ValueTask<IReadOnlyList<HostCommand>> VolumeDisks(Work<Server> w, IEnumerable<VolumeOf> volumes)
    {
        var commands = new List<HostCommand>();
        foreach (var v in volumes)
            if (await BlockStorage.Facade.Disk(w.Services, w.Item.ProjectId, v.VolumeId) is { } disk) commands.Add(disk);
        return commands;
    }

    /// <summary>The guest has what it should have: entries become attached or go.</summary>
    private static async ValueTask Settle(Work<Server> w)
    {
        var s = w.Item;
        foreach (var v in s.Volumes)
        {
            if (v.State == "attaching") await BlockStorage.Facade.Attached(w.Services, s.ProjectId, v.VolumeId, s.Id, w.Change);
            if (v.State == "detaching") await BlockStorage.Facade.Detached(w.Services, s.ProjectId, v.VolumeId, s.Id, w.Change);
        }
        foreach (var n in s.Nics.Where(n => n.State == "detaching")) await Network.Facade.Release(w.Services, s.ProjectId, s.Id, n.Made ? [n.PortId] : [], w.Change, n.PortId);
        if (s.Nics.Any(n => n.State == "attaching")) await Network.Facade.Activate(w.Services, s.ProjectId, s.Id, s.Nics.Select(n => n.PortId), w.Change);
        if (Unsettled(s))
            w.Item = s with
            {
                Volumes = [.. s.Volumes.Where(v => v.State != "detaching").Select(v => v with { State = "attached" })],
                Nics = [.. s.Nics.Where(n => n.State != "detaching").Select(n => n with { State = "attached" })],
            };
    }

    private static async ValueTask<IReadOnlyList<HostCommand>> Unplug(Work<Server> w, string state)
    {
        var commands = new List<HostCommand>();
        foreach (var n in w.Item.Nics.Where(n => n.State == state)) commands.AddRange(await Network.Facade.Unplug(w.Services, w.Item.ProjectId, w.Item.Id, n.PortId));
        return commands;
    }

    private static async ValueTask<IReadOnlyList<HostCommand>> Restore(Work<Server> w) => Unsettled(w.Item) ? [await ServerSpecs.Ensure(w.Services, Before(w.Item))] : [];

    private static ValueTask<IReadOnlyList<HostCommand>> Unmake(Work<Server> w) => BlockStorage.Facade.Unmake(w.Services, w.Item.ProjectId, w.Item.Id, w.Item.Volumes.Select(v => v.VolumeId));

    /// <summary>A change didn't work: what was being attached is let go, what was being detached stays.</summary>
    private static async ValueTask Unreserve(Work<Server> w)
    {
        var s = w.Item;
        foreach (var v in s.Volumes)
        {
            if (v.State == "attaching") await BlockStorage.Facade.Detached(w.Services, s.ProjectId, v.VolumeId, s.Id, w.Change);
            if (v.State == "detaching") await BlockStorage.Facade.Attached(w.Services, s.ProjectId, v.VolumeId, s.Id, w.Change);
        }
        foreach (var n in s.Nics.Where(n => n.State == "attaching")) await Network.Facade.Release(w.Services, s.ProjectId, s.Id, n.Made ? [n.PortId] : [], w.Change, n.PortId);
    }

    private static ValueTask GiveUp(Work<Server> w)
    {
        w.Item = Before(w.Item) with
        {
            Status = w.Item.Task is "powering-on" or "powering-off" or "pausing" or "unpausing" or "rebooting" or "rebooting_hard" ? "ERROR" : w.Item.Status,
            Task = null,
            Fault = w.Error,
            FaultAt = w.Services.Now,
        };
        return ServerHistory.End(w);
    }

    /// <summary>Guests a host should have.</summary>
    public static async ValueTask<IReadOnlyList<HostCommand>> On(Services s, string host)
    {
        var commands = new List<HostCommand>();
        // Whoever is on it has room there.
        foreach (var a in await Placement.Facade.Of(s.Store, host))
            if ((await Servers.Rows.Get(s.Store, a.ProjectId, a.Consumer))?.Item is { } server && server.Host == host && server is { Saga: null, Doomed: false, Status: not "ERROR" }) commands.Add(await ServerSpecs.Ensure(s, server) with { Fence = server.Revision });
        return commands;
    }

    private static bool Unsettled(Server s) => s.Volumes.Any(v => v.State != "attached") || s.Nics.Any(n => n.State != "attached");

    private static Server Before(Server s) => s with
    {
        Volumes = [.. s.Volumes.Where(v => v.State != "attaching").Select(v => v with { State = "attached" })],
        Nics = [.. s.Nics.Where(n => n.State != "attaching").Select(n => n with { State = "attached" })],
    };

    /// <summary>Reports of one host may overtake each other, but none by as much as a clock that is put right may jump.</summary>
    private static bool Older(DateTimeOffset at, DateTimeOffset? seen) => at < seen && seen - at < TimeSpan.FromHours(1);

    /// <summary>
    /// A guest changed by itself: a shutdown from within is a stopped server, not a lost one. Where a change was given up nobody knows what is so
    /// until the host has had its command, which may still be on its way.
    /// </summary>
    public static async ValueTask OnDomain(Services services, DomainEvent e)
    {
        while (await Servers.Rows.Find(services.Store, e.ServerId) is { } was)
        {
            var s = was.Item;
            if (s.Saga is not null || s.Host != e.Host || s.Doomed || e.Fence < s.Heard || Older(e.At, s.SeenAt)) return;
            var (power, status) = e.State switch { "running" => (PowerState.Running, "ACTIVE"), "paused" => (PowerState.Paused, "PAUSED"), _ => (PowerState.Off, "SHUTOFF") };
            if (s.Status == "ERROR" ? e.Fence == s.Heard : power == s.Power) return;
            var now = s with { Power = power, Status = status, SeenAt = e.At };
            try
            {
                await Servers.Rows.Save(services, now, was, new("host", ""));
                return;
            }
            catch (ConflictException) { /* it changed meanwhile */ }
        }
    }
}
