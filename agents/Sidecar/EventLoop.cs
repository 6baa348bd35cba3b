namespace Cloud.Agents.Sidecar;

/// <summary>
/// libvirt's own poll loop on a thread of its own: it reads the connection, sends keep-alives and calls event callbacks.
/// One per process; must run before the first connection is opened.
/// </summary>
internal static class EventLoop
{
    private static int started;

    internal static void Start()
    {
        if (Interlocked.Exchange(ref started, 1) == 1) return;
        if (Native.virInitialize() < 0 || Native.virEventRegisterDefaultImpl() < 0)
            throw new InvalidOperationException($"libvirt does not start: {Errors.Read().Message}");
        Silence();
        new Thread(Run) { IsBackground = true, Name = "libvirt events" }.Start();
    }

    private static void Run()
    {
        while (true)
            if (Native.virEventRunDefaultImpl() < 0) Thread.Sleep(10);   // must not spin if poll itself fails
    }

    /// <summary>Without a handler libvirt prints every error, expected ones too.</summary>
    private static unsafe void Silence() =>
        Native.virSetErrorFunc(IntPtr.Zero, (IntPtr)(delegate* unmanaged<IntPtr, IntPtr, void>)&Ignore);

    [System.Runtime.InteropServices.UnmanagedCallersOnly]
    private static void Ignore(IntPtr userData, IntPtr error) { }
}
