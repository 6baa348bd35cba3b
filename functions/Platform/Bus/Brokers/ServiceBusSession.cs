using Amqp.Framing;
using Amqp.Types;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>What only Service Bus has on the wire: a session as a filter of a link, and a rejected message that goes to the queue's dead letters with a reason.</summary>
/// <remarks>https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide</remarks>
internal static class ServiceBusSession
{
    private static readonly Symbol Filter = new("com.microsoft:session-filter"), Dead = new("com.microsoft:dead-letter");

    /// <param name="Id">Null for whichever has messages and no receiver.</param>
    public sealed record Wanted(string? Id);

    public static Source Source(Source source, Wanted? session)
    {
        if (session is not null) source.FilterSet = new() { [Filter] = session.Id };
        return source;
    }

    public static Error DeadLetter(string reason) => new(Dead)
    {
        Description = reason, Info = new() { [new Symbol("DeadLetterReason")] = "given up", [new Symbol("DeadLetterErrorDescription")] = reason },
    };
}
