using System.Runtime.InteropServices;

namespace Cloud.Agents.Sidecar;

/// <summary>
/// The connection to libvirtd. It is opened in the background and opened again when libvirtd went away;
/// meanwhile calls fail at once with <see cref="Errors.Disconnected"/>.
/// </summary>
internal sealed class Connection(string uri, DomainEvents events, ILogger<Connection> log) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(2);
    private const int KeepAliveSeconds = 5;
    private const uint KeepAliveMisses = 3;   // a libvirtd that hangs counts as away after 15 to 20 s

    private volatile ConnectHandle? current;

    /// <exception cref="LibvirtException">libvirtd is away.</exception>
    internal ConnectHandle Current =>
        current is { } handle && Native.virConnectIsAlive(handle) == 1
            ? handle
            : throw new LibvirtException(Errors.Disconnected, "libvirtd is away");

    protected override Task ExecuteAsync(CancellationToken stop) =>
        Task.Factory.StartNew(() => Supervise(stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    private async Task Supervise(CancellationToken stop)
    {
        EventLoop.Start();
        var pause = ShortestPause;
        while (!stop.IsCancellationRequested)
        {
            if (await Serve(stop)) pause = ShortestPause;
            else if (pause < LongestPause) pause *= 2;
            await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One life of the connection: opens, serves until it breaks, cleans up.</summary>
    /// <returns>Whether it could be opened.</returns>
    private async Task<bool> Serve(CancellationToken stop)
    {
        using var connect = Native.virConnectOpen(uri);
        if (connect.IsInvalid)
        {
            log.LogWarning("libvirtd does not answer: {Message}", Errors.Read().Message);
            return false;
        }
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var self = GCHandle.Alloc(closed);
        try
        {
            if (Native.virConnectRegisterCloseCallback(connect, OnClose, GCHandle.ToIntPtr(self), IntPtr.Zero) < 0) throw Errors.Last(connect);
            _ = Native.virConnectSetKeepAlive(connect, KeepAliveSeconds, KeepAliveMisses);
            using var subscription = events.Register(connect);
            current = connect;
            events.PublishStates(connect);
            log.LogInformation("connected to libvirtd");
            await closed.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stop.IsCancellationRequested) log.LogWarning("libvirtd went away");
        }
        catch (LibvirtException e)
        {
            log.LogWarning("libvirtd went away: {Message}", e.Message);
        }
        finally
        {
            current = null;
            _ = Native.virConnectUnregisterCloseCallback(connect, OnClose);
            self.Free();
        }
        return true;
    }

    private static unsafe IntPtr OnClose => (IntPtr)(delegate* unmanaged<IntPtr, int, IntPtr, void>)&Closed;

    [UnmanagedCallersOnly]
    private static void Closed(IntPtr connect, int reason, IntPtr opaque) =>
        ((TaskCompletionSource)GCHandle.FromIntPtr(opaque).Target!).TrySetResult();
}
