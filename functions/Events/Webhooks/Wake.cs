using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>
/// Tells a webhook to look into its log. Ids never repeat for what is new: a message that is being handled would swallow one with its id,
/// and with it what was logged after the handler looked.
/// </summary>
/// <param name="Project">Where the webhook's row is.</param>
public sealed record Wake(string Hook, string Project)
{
    /// <summary>Those whose receivers are quick.</summary>
    public const string Queue = "webhooks";
    /// <summary>Those that are slow or don't answer, so that waiting for them is nobody else's.</summary>
    public const string SlowQueue = "webhooks-slow";

    /// <summary>Those whose time will come. Not in the queues themselves: within a session what comes first is handled first, even if that is later.</summary>
    public const string DueQueue = "webhooks-due";

    /// <summary>Its owner changed something: what went wrong before counts no more.</summary>
    public bool Fresh { get; init; }
    public Span? Again { get; init; }

    public static Wake Of(Webhook hook) => new(hook.Id, hook.ProjectId);

    public Message Message(string why, bool slow = false) => new(slow ? SlowQueue : Queue, $"{Hook}|{why}", Json.Write(this), Session: Hook);

    /// <summary>For the very next moment, whatever waits already.</summary>
    public Message Now(Services s) => Message(s.Ids.New());

    public Message At(DateTimeOffset at, string why) => new(DueQueue, $"{Hook}|{why}", Json.Write(this), NotBefore: at);

    /// <summary>The time of one has come. A repeat of this message finds the first in the queue, or wakes once more.</summary>
    public static async Task Due(Services s, Delivery d, CancellationToken ct) => await s.Bus.Send([Json.Read<Wake>(d.Message.Body).Message(d.Message.Id)], ct);
}
