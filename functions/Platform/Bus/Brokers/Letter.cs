using System.Security.Cryptography;
using Amqp.Framing;
using Amqp.Types;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>A message as AMQP brokers carry it: id and session are properties, and when it is due is known to the receiver even where the broker can't wait.</summary>
internal static class Letter
{
    private const string Due = "cloud-due", Marker = "cloud-marker", Reason = "cloud-reason", Attempts = "cloud-attempts", At = "cloud-at";
    private static readonly Symbol Scheduled = new("x-opt-scheduled-enqueue-time");

    public static Amqp.Message Write(Broker broker, Message m)
    {
        var raw = New(m.Id, m.Body.ToArray(), broker.SessionOf(m.Queue) ?? m.Session);
        if (m.NotBefore is not { } due) return raw;
        raw.ApplicationProperties = new() { [Due] = due.UtcTicks };
        if (broker.IsServiceBus) raw.MessageAnnotations = new() { [Scheduled] = due.UtcDateTime };
        return raw;
    }

    /// <summary>A dead letter where the broker keeps none by itself.</summary>
    public static Amqp.Message Write(DeadLetter letter)
    {
        var raw = New(letter.Message.Id, letter.Message.Body.ToArray(), letter.Message.Session);
        raw.ApplicationProperties = new() { [Reason] = letter.Reason, [Attempts] = letter.Attempts, [At] = letter.At.UtcTicks };
        return raw;
    }

    /// <summary>Comes back when all that was sent before it has come.</summary>
    public static Amqp.Message Mark(string id)
    {
        var raw = New(id, [], Marker);
        (raw.Header.Durable, raw.Header.Ttl) = (false, 30_000);
        raw.ApplicationProperties = new() { [Marker] = id };
        return raw;
    }

    public static string? MarkOf(Amqp.Message raw) => Value(raw, Marker) as string;

    /// <summary>Agents give no ids; the same message has the same one however often it comes.</summary>
    public static Message Read(string queue, Amqp.Message raw)
    {
        var body = (raw.BodySection as Data)?.Binary ?? [];
        var id = raw.Properties?.GetMessageId()?.ToString() ?? Convert.ToHexString(SHA256.HashData(body));
        return new(queue, id, body, Broker.IsAnswer(queue) ? null : raw.Properties?.GroupId, Value(raw, Due) is long ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null);
    }

    /// <summary>How often it was given out before. RabbitMQ's plugin only tells whether; one that waited for its time may have been let go any number of times.</summary>
    public static int Given(Amqp.Message raw) => raw.Header is not { } h ? 0 : h.DeliveryCount > 0 ? (int)h.DeliveryCount : h.HasField(3) && !h.FirstAcquirer && Value(raw, Due) is null ? 1 : 0;

    public static DeadLetter ReadDead(string queue, Amqp.Message raw, DateTimeOffset now) => new(Read(queue, raw) with { NotBefore = null },
        Value(raw, Attempts) is int n ? n : (int)(raw.Header?.DeliveryCount ?? 0) + 1,
        Value(raw, Reason) as string ?? Value(raw, "DeadLetterErrorDescription") as string ?? Value(raw, "DeadLetterReason") as string ?? "",
        Value(raw, At) is long ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : now);

    private static Amqp.Message New(string id, byte[] body, string? session) => new()
    {
        Header = new() { Durable = true }, Properties = new() { MessageId = id, GroupId = session }, BodySection = new Data { Binary = body },
    };

    private static object? Value(Amqp.Message raw, string name) => raw.ApplicationProperties?.Map.TryGetValue(name, out var value) == true ? value : null;
}
