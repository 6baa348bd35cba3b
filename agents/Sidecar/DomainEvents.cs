using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Cloud.Agents.Contract.Libvirt;

namespace Cloud.Agents.Sidecar;

/// <summary>Fans libvirt's events out to subscribers. Callbacks run on the event loop's thread and must not call libvirtd.</summary>
internal sealed class DomainEvents
{
    private const int Lifecycle = 0, DeviceRemoved = 15, DeviceRemovalFailed = 22;
    private const int Backlog = 4096;
    private static readonly string[] StopReasons = ["shutdown", "destroyed", "crashed", "migrated", "saved", "failed"];

    private readonly ConcurrentDictionary<Channel<DomainEvent>, bool> subscribers = [];

    /// <summary>What callbacks know us by. Never freed: an event already on its way may still name it.</summary>
    private readonly IntPtr self;

    public DomainEvents() => self = GCHandle.ToIntPtr(GCHandle.Alloc(this));

    /// <summary>Everything that happens from now on. A subscriber that lags <see cref="Backlog"/> events behind is cut off.</summary>
    internal Channel<DomainEvent> Subscribe()
    {
        var channel = Channel.CreateBounded<DomainEvent>(new BoundedChannelOptions(Backlog) { SingleReader = true });
        subscribers[channel] = true;
        return channel;
    }

    internal void Unsubscribe(Channel<DomainEvent> channel) => subscribers.TryRemove(channel, out _);

    internal void Publish(DomainEvent e)
    {
        if (!Domains.IsOurs(e.Name)) return;
        foreach (var channel in subscribers.Keys)
            if (!channel.Writer.TryWrite(e))
            {
                Unsubscribe(channel);
                channel.Writer.TryComplete(new LibvirtException(Errors.Disconnected, "too slow for the events: list domains and subscribe again"));
            }
    }

    /// <summary>The state of every domain, for those who missed what happened while libvirtd was away.</summary>
    internal void PublishStates(ConnectHandle connect)
    {
        foreach (var info in Domains.List(connect, settle: true))
            Publish(new DomainEvent { Name = info.Name, State = info.State, Kind = "lifecycle", Detail = "connected" });
    }

    /// <summary>Asks libvirtd for events until disposed, which must be before the connection is closed: each callback holds a reference to it.</summary>
    internal unsafe IDisposable Register(ConnectHandle connect)
    {
        var registration = new Registration(connect, self);
        registration.Add(Lifecycle, (IntPtr)(delegate* unmanaged<IntPtr, IntPtr, int, int, IntPtr, int>)&OnLifecycle);
        registration.Add(DeviceRemoved, (IntPtr)(delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, void>)&OnDeviceRemoved);
        registration.Add(DeviceRemovalFailed, (IntPtr)(delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, void>)&OnDeviceRemovalFailed);
        return registration;
    }

    [UnmanagedCallersOnly]
    private static int OnLifecycle(IntPtr connect, IntPtr domain, int what, int detail, IntPtr opaque)
    {
        var (state, text) = Describe(what, detail);
        Hub(opaque).Publish(new DomainEvent { Name = Name(domain), State = state, Kind = "lifecycle", Detail = text });
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void OnDeviceRemoved(IntPtr connect, IntPtr domain, IntPtr alias, IntPtr opaque) =>
        PublishDevice(domain, "device-removed", alias, opaque);

    [UnmanagedCallersOnly]
    private static void OnDeviceRemovalFailed(IntPtr connect, IntPtr domain, IntPtr alias, IntPtr opaque) =>
        PublishDevice(domain, "device-removal-failed", alias, opaque);

    private static void PublishDevice(IntPtr domain, string kind, IntPtr alias, IntPtr opaque) =>
        Hub(opaque).Publish(new DomainEvent { Name = Name(domain), Kind = kind, Device = Marshal.PtrToStringUTF8(alias) ?? "" });

    /// <summary>virDomainEventType and, for a stop, virDomainEventStoppedDetailType.</summary>
    internal static (DomainState State, string Detail) Describe(int what, int detail) => what switch
    {
        0 => (DomainState.Unknown, "defined"),
        1 => (DomainState.Unknown, "undefined"),
        2 => (DomainState.Running, "started"),
        3 => (DomainState.Paused, "suspended"),
        4 => (DomainState.Running, "resumed"),
        5 => (DomainState.Off, detail >= 0 && detail < StopReasons.Length ? $"stopped: {StopReasons[detail]}" : "stopped"),
        6 => (DomainState.ShuttingDown, "shutdown"),
        7 => (DomainState.Paused, "pmsuspended"),
        8 => (DomainState.Crashed, "crashed"),
        _ => (DomainState.Unknown, $"event {what}"),
    };

    private static DomainEvents Hub(IntPtr opaque) => (DomainEvents)GCHandle.FromIntPtr(opaque).Target!;

    private static string Name(IntPtr domain) => Marshal.PtrToStringUTF8(Native.virDomainGetNameRaw(domain)) ?? "";

    private sealed class Registration(ConnectHandle connect, IntPtr hub) : IDisposable
    {
        private readonly List<int> ids = [];

        internal void Add(int eventId, IntPtr callback)
        {
            var id = Native.virConnectDomainEventRegisterAny(connect, IntPtr.Zero, eventId, callback, hub, IntPtr.Zero);
            if (id >= 0)
            {
                ids.Add(id);
                return;
            }
            var error = Errors.Last(connect);
            Dispose();
            throw error;
        }

        public void Dispose()
        {
            foreach (var id in ids) _ = Native.virConnectDomainEventDeregisterAny(connect, id);
        }
    }
}
