using Cloud.Platform.Bus;

namespace Cloud.Tests.Kit;

/// <summary>Where a handler keeps its state when it has none of its own.</summary>
/// <param name="Bus">Connection to the broker; <paramref name="Queues"/> is the same, as the host reads it.</param>
public sealed record HandlerState(string Tables, string Blobs, string Bus, IBus Queues, string Password)
{
    public Dictionary<string, string> Environment => new()
    {
        [CustomHandler.Tables] = Tables, [CustomHandler.Blobs] = Blobs, [CustomHandler.Bus] = Bus, [CustomHandler.AdminPassword] = Password,
    };
}
