using Cloud.Platform;
using Cloud.Platform.Bus;

namespace Cloud.Events;

/// <summary>What others ask of events.</summary>
public static class Facade
{
    /// <summary>Who signs in to the AMQP listener with an application credential; null when it is none.</summary>
    public static ValueTask<AmqpGuest?> Admit(Services s, string user, string secret) => Subscriptions.Admit(s, user, secret);
}
