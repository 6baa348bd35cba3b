using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;

namespace Cloud.Platform;

/// <summary>All that one service gives to the whole. A value in the slice's Api.cs; Slices.cs lists them.</summary>
/// <param name="Prefix">First segment of its paths: compute, identity...</param>
/// <param name="Type">Service type in the catalog.</param>
public sealed record Slice(string Prefix, string Type, Dialect Dialect, IReadOnlyList<Route> Routes)
{
    /// <summary>What the catalog says after the prefix, e.g. /v3; {project_id} is filled in.</summary>
    public string CatalogPath { get; init; } = "";
    /// <summary>The service's name in the catalog, e.g. nova.</summary>
    public string CatalogName { get; init; } = "";
    /// <summary>Routes of one segment that clients look for at the root of the server too: info.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [];
    /// <summary>Tells requests that are its own wherever their path begins, for clients that only know a server. A Functions host passes on only those with the prefix.</summary>
    public Func<Request, bool>? Claims { get; init; }
    public IReadOnlyList<ISaga> Sagas { get; init; } = [];
    public IReadOnlyList<Owner> Owners { get; init; } = [];
    /// <summary>A guest changed state by itself.</summary>
    public Func<Services, DomainEvent, ValueTask>? OnDomain { get; init; }
    /// <summary>A host told what its guests and addresses used: sums, at least once, in any order.</summary>
    public Func<Services, Samples, CancellationToken, Task>? OnSamples { get; init; }
    /// <summary>Makes what must always exist (the admin user, flavors). Repeats harmlessly at every start.</summary>
    public Func<Services, ValueTask>? OnStart { get; init; }
    /// <summary>Work of its own that takes long and must not hold up sagas.</summary>
    public IReadOnlyList<Hosting.QueueTrigger> Queues { get; init; } = [];
    public IReadOnlyList<Job> Jobs { get; init; } = [];
    /// <summary>What a kill at the worst moment may leave of this slice's rows.</summary>
    public IReadOnlyList<State.Leftovers> Leftovers { get; init; } = [];
    /// <summary>Takes part in what all changes of the cloud mean (metering, webhooks): one event, in order per resource, at least once.</summary>
    public Func<Services, Event, CancellationToken, Task>? OnEvent { get; init; }
}

/// <summary>Something done regularly: sweeping, expiring. Must be safe to run twice.</summary>
public sealed record Job(string Name, TimeSpan Every, Func<Services, CancellationToken, Task> Run);
