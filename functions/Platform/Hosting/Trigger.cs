using Cloud.Platform.Bus;

namespace Cloud.Platform.Hosting;

/// <summary>Something that wakes the control plane.</summary>
/// <param name="Name">Name of the function on Azure: letters, digits and hyphens.</param>
public abstract record Trigger(string Name);

/// <summary>All requests of one service.</summary>
public sealed record HttpTrigger(string Name, string Prefix) : Trigger(Name);

/// <summary>Messages of one queue.</summary>
/// <param name="Sessions">Messages of one session come one after the other.</param>
public sealed record QueueTrigger(string Name, string Queue, int Parallel, bool Sessions, Func<Services, Delivery, CancellationToken, Task> Handle) : Trigger(Name);

public sealed record TimerTrigger(string Name, TimeSpan Every, Func<Services, CancellationToken, Task> Run) : Trigger(Name);
