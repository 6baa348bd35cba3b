using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Billing.CloudKitty;

/// <summary>
/// The words of the hashmap module for what the cloud meters. A service is a meter; one that comes in kinds (server.m1.tiny) is one service with one field,
/// whose values are the kinds. Ids are made of names, so nothing has to be kept.
/// </summary>
/// <param name="Field">Null where the meter has no kinds.</param>
public sealed record Service(string Name, string? Field, string Meter)
{
    public string Id => Services.IdOf("service", Name);
    public string? FieldId => Field is null ? null : Services.IdOf("field", Name);

    /// <summary>The price's pattern for the service as a whole, or for one value of its field.</summary>
    public string Pattern(string? value) => value is null ? Meter : Meter[..^1] + value;
}

public static class Services
{
    public static readonly IReadOnlyList<Service> All =
        [.. Metering.Facade.Names().Select(n => n.EndsWith(".*", StringComparison.Ordinal) ? new Service(n[..^2], "flavor", n) : n.StartsWith("floatingip-traffic.", StringComparison.Ordinal) ? new Service("floatingip-traffic", "direction", "floatingip-traffic.*") : new Service(n, null, n)).Distinct()];

    /// <summary>Of a service and what a client says of the resource; a meter's own name does too.</summary>
    public static string MeterOf(string service, JsonElement desc)
    {
        if (All.FirstOrDefault(s => s.Name == service) is not { } known) return Metering.Facade.UnitOf(service) is not null && !service.EndsWith('*') ? service : throw Fault.BadRequest($"No service is called '{(service.Length > 64 ? service[..64] : service)}'.");
        if (known.Field is null) return known.Meter;
        return desc.ValueKind == JsonValueKind.Object && desc.TryGetProperty(known.Field, out var v) && v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 and <= 255 } value ? known.Pattern(value) : throw Fault.BadRequest($"desc must say the {known.Field} of '{service}'.");
    }

    /// <summary>A UUID that is the same for the same name.</summary>
    public static string IdOf(string kind, string name) => new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}:{name}")).AsSpan(0, 16)).ToString();
}
