using Cloud.Agents.Contract;
using Cloud.Agents.Host.Disks;
using Cloud.Agents.Host.Domains;
using Cloud.Agents.Host.Handlers;
using Cloud.Agents.Host.Linux;
using Cloud.Agents.Host.Metadata;
using Cloud.Agents.Host.Networks;
using Cloud.Agents.Host.Usage;
using Microsoft.Extensions.Logging;

namespace Cloud.Agents.Host;

/// <summary>What the agent needs from outside.</summary>
/// <param name="Boot">Changes when the machine restarts.</param>
public sealed record AgentParts(HostOptions Options, Ledger Ledger, IHypervisor Hypervisor, ITool Tool, IImageSource Images, IHostLink Link, string Boot, TimeProvider Time, ILoggerFactory Logs);

/// <summary>The agent put together: which handler takes which command, what is put right at start, what runs beside.</summary>
public sealed class Agent
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TrimEvery = TimeSpan.FromSeconds(2);

    private readonly AgentParts parts;
    private readonly ILogger log;
    private readonly Inbox inbox;
    private readonly IHolder[] holders;
    private readonly Heartbeats heartbeats;
    private readonly GuestReports reports;
    private readonly Revival revival;
    private readonly Inventories inventories;
    private readonly Consoles consoles;
    private readonly NetworkParts networks;
    private readonly Sampler sampler;

    public Agent(AgentParts parts)
    {
        var (options, ledger, hypervisor, tool, source, link, boot, time, logs) = parts;
        (this.parts, log) = (parts, logs.CreateLogger<Agent>());

        var changes = new Changes();
        var notes = new GuestNotes(ledger);
        var metadata = new MetadataTree(ledger);
        var configDrives = new ConfigDrives(options, metadata);
        consoles = new Consoles(options);
        var guests = new Guests(options, hypervisor, changes, consoles, configDrives, time, logs.CreateLogger<Guests>());
        var files = new DiskFiles(options, tool);
        var cache = new ImageCache(options, source, ledger, files);

        Metadata = new MetadataServer(metadata, ledger, notes);
        var finals = new Finals(ledger);
        networks = new NetworkParts(options, tool, ledger, finals, time, Metadata.Answer, logs);
        sampler = new Sampler(options, hypervisor, networks.Holder, finals, ledger, link, time, logs.CreateLogger<Sampler>());

        var images = new ImageHandlers(cache);
        var disks = new DiskHandlers(files, cache, guests, hypervisor, time);
        var domains = new DomainHandlers(guests, notes, consoles, configDrives, hypervisor, ledger);
        var handlers = new HandlerTable()
            .On<EnsureImage>(images).On<RemoveImage>(images)
            .On<EnsureDisk>(disks).On<RemoveDisk>(disks).On<CopyDisk>(disks)
            .On<EnsureNetwork>(networks.Networks).On<EnsureGroup>(networks.Groups).On<EnsurePort>(networks.Ports).On<RemovePort>(networks.Ports).On<EnsureRouter>(networks.Routers).On<RemoveRouter>(networks.Routers)
            .On<EnsureDomain>(domains).On<RebootDomain>(domains).On<RemoveDomain>(domains).On<ReadConsole>(domains);

        // In the order of recovery: guests need their disks and their taps.
        holders = [networks.Holder, disks, domains];
        inbox = new Inbox(ledger, handlers, new KeyLock(), options.Parallel, logs.CreateLogger<Inbox>());
        inventories = new Inventories(options, boot, ledger, inbox.InHand, holders, time, logs.CreateLogger<Inventories>());
        heartbeats = new Heartbeats(options, new Capacity(options, hypervisor), link, boot, time, logs.CreateLogger<Heartbeats>());
        reports = new GuestReports(options, hypervisor, guests, notes, ledger, changes, time, logs.CreateLogger<GuestReports>());
        revival = new Revival(guests, notes, ledger, time, logs.CreateLogger<Revival>());
    }

    public MetadataServer Metadata { get; }

    /// <summary>Puts the host right, says what it holds, then takes commands until cancelled. Guests keep running after that.</summary>
    /// <param name="ready">Called when commands are taken and the control plane was told so.</param>
    public async Task Run(Action ready, CancellationToken ct)
    {
        foreach (var holder in holders)
            await Insist(() => holder.Recover(ct), ct);
        Inventory? there = null;
        await Insist(async () => there = await inventories.Look(ct), ct);
        await parts.Link.Send(there!, ct);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task[] tasks = [parts.Link.Run(inbox.Handle, stop.Token), heartbeats.Run(ready, stop.Token), Trim(stop.Token), Watch(stop.Token), sampler.Run(stop.Token), inventories.Run(parts.Link.Send, stop.Token), networks.Holder.Watch(parts.Time, stop.Token)];
        await Task.WhenAny(tasks);
        await stop.CancelAsync();
        try
        {
            await Task.WhenAll(tasks);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Asked to end.
        }
    }

    private async Task Watch(CancellationToken ct)
    {
        await revival.Run(parts.Boot, parts.Options.Heartbeat * 3, ct);
        await reports.Run(parts.Link.Send, ct);
    }

    private async Task Trim(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TrimEvery, parts.Time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                consoles.Trim();
            }
            catch (IOException e)
            {
                log.LogWarning("consoles: {Message}", e.Message);
            }
        }
    }

    /// <summary>The sidecar may start after us; without it there is nothing to do but wait.</summary>
    private async Task Insist(Func<Task> act, CancellationToken ct)
    {
        for (var told = ""; ;)
        {
            try
            {
                await act();
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (told != e.Message)
                    log.LogWarning("not ready yet: {Message}", e.Message);
                told = e.Message;
            }

            await Task.Delay(Pause, parts.Time, ct);
        }
    }
}
