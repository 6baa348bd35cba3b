using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;

namespace Cloud.Platform.Bus.Brokers;

/// <summary>What shows Service Bus that we may use something there, as <c>put-token</c> has it.</summary>
/// <param name="Renewed">When another one should be there.</param>
/// <remarks>https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#claims-based-security</remarks>
public sealed record Proof(string Type, string Token, DateTimeOffset Until, DateTimeOffset Renewed)
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1), Early = TimeSpan.FromMinutes(15);
    // The library gives out the same token until five minutes before its end.
    private static readonly TimeSpan EarlyOfIdentity = TimeSpan.FromMinutes(4);
    private static readonly string[] s_scope = ["https://servicebus.azure.net/.default"];

    /// <param name="audience">What is to be used, <c>sb://NAMESPACE/QUEUE</c>.</param>
    /// <exception cref="Azure.Identity.AuthenticationFailedException">There is no token to be had for the identity.</exception>
    public static async ValueTask<Proof> Of(Broker broker, string audience, DateTimeOffset now, CancellationToken ct)
    {
        if (broker.Identity is { } identity)
        {
            var token = await identity.GetTokenAsync(new(s_scope), ct);
            return new("jwt", token.Token, token.ExpiresOn, token.ExpiresOn - EarlyOfIdentity);
        }
        var (name, key) = broker.Policy!.Value;
        return new("servicebus.windows.net:sastoken", Sign(audience, name, key, now + Life), now + Life, now + Life - Early);
    }

    /// <summary>The value of a SharedAccessSignature for a resource until a time.</summary>
    public static string Sign(string resource, string name, string key, DateTimeOffset until)
    {
        var (what, when) = (Uri.EscapeDataString(resource), until.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes($"{what}\n{when}")));
        return $"SharedAccessSignature sr={what}&sig={Uri.EscapeDataString(signature)}&se={when}&skn={name}";
    }

    /// <summary>It opens the queue for whoever has it.</summary>
    public override string ToString() => Type;
}
