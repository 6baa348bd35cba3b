using System.Globalization;
using Amqp;
using Amqp.Framing;
using Azure.Core;
using Cloud.Platform.Net;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>Where a broker is, how one proves who one is, and how queues are called there.</summary>
public sealed record Broker
{
    private const string Answers = "answer.";

    /// <summary>With user and password for SASL PLAIN; without, it is ANONYMOUS.</summary>
    public required Address Address { get; init; }
    /// <summary>Name and key of a shared access policy: the broker is Azure Service Bus, with its sessions, schedule, dead letters and tokens.</summary>
    public (string Name, string Key)? Policy { get; init; }
    /// <summary>Of the app, where no key says who we are: the broker is Azure Service Bus then, too.</summary>
    public TokenCredential? Identity { get; init; }
    /// <summary>Begins the names of queues at the broker, where several clouds share one.</summary>
    public string Prefix { get; init; } = "";
    public bool IsServiceBus => Policy is not null || Identity is not null;

    /// <summary><c>amqp(s)://user:password@host:port[/prefix]</c> for RabbitMQ with its AMQP 1.0 plugin, the connection string of a Service Bus namespace, or its address <c>sb://NAME.servicebus.windows.net</c> for whoever has an identity.</summary>
    /// <param name="identity">Made when it is needed.</param>
    /// <exception cref="ArgumentException">It is none. The text holds nothing of it: it has a secret.</exception>
    public static Broker Parse(string connection, Func<TokenCredential>? identity = null)
    {
        if (Uri.TryCreate(connection, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps")
        {
            var user = uri.UserInfo.Split(':', 2);
            return new() { Address = new(uri.Host, uri.IsDefaultPort || uri.Port < 0 ? uri.Scheme == "amqps" ? 5671 : 5672 : uri.Port, user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null, user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null, "/", uri.Scheme), Prefix = uri.AbsolutePath.Trim('/') is { Length: > 0 } prefix ? prefix + "." : "" };
        }
        if (uri?.Scheme == "sb" && uri.UserInfo.Length == 0) return new() { Address = new(uri.Host, uri.Port > 0 ? uri.Port : 5671, null, null, "/", "amqps"), Identity = KeylessAddress.Caller(identity) };
        var parts = connection.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)).Where(p => p.Length == 2).ToLookup(p => p[0].Trim(), p => p[1].Trim(), StringComparer.OrdinalIgnoreCase);
        if (parts["Endpoint"].FirstOrDefault() is { } endpoint && Uri.TryCreate(endpoint, UriKind.Absolute, out var at) && parts["SharedAccessKeyName"].FirstOrDefault() is { } name && parts["SharedAccessKey"].FirstOrDefault() is { } key)
        {
            // The emulator and tests have no TLS.
            var plain = parts["UseDevelopmentEmulator"].FirstOrDefault() == "true";
            return new() { Address = new(at.Host, at.Port > 0 ? at.Port : plain ? 5672 : 5671, null, null, "/", plain ? "amqp" : "amqps"), Policy = (name, key) };
        }
        throw new ArgumentException("the bus must be amqp(s)://user:password@host:port, the connection string of a Service Bus namespace or its address sb://NAME.servicebus.windows.net");
    }

    /// <summary>
    /// The broker's address of a queue. A queue for one answer is a session of one queue on Service Bus, where nobody makes queues in passing;
    /// RabbitMQ makes what is named, and a policy on ^answer\. should let it expire.
    /// </summary>
    public string Queue(string name) => !IsServiceBus ? "/queue/" + Uri.EscapeDataString(Prefix + name) : SessionOf(name) is null ? name : "answers";

    /// <summary>The one session a queue is on Service Bus; null when it is a whole queue.</summary>
    public string? SessionOf(string name) => IsServiceBus && IsAnswer(name) ? name[Answers.Length..] : null;

    public static bool IsAnswer(string name) => name.StartsWith(Answers, StringComparison.Ordinal);

    public string Dead(string name) => IsServiceBus ? name + "/$DeadLetterQueue" : "/queue/" + Uri.EscapeDataString(Prefix + name + ".dead");

    /// <summary>RabbitMQ makes the queue that is named, and one that outlives the broker only for an end of a link that says so itself: else all in it would go with the next restart.</summary>
    internal Target To(string address) => new() { Address = address, Durable = IsServiceBus ? 0u : 2u };

    internal Source From(string address) => new() { Address = address, Durable = IsServiceBus ? 0u : 2u };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address.Host}:{Address.Port}");
}
