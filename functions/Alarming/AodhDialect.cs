using Cloud.Platform.Rest;

namespace Cloud.Alarming;

/// <summary>Aodh's conventions (https://docs.openstack.org/aodh/latest/contributor/webapi/v2.html): bare bodies, times in UTC without an offset, errors as its web framework words them.</summary>
internal static class AodhDialect
{
    public static readonly Dialect Value = new("alarming")
    {
        Bare = true,
        Error = (_, f) => Reply.Object(f.Status, w => w.Object("error_message", () =>
        {
            w.WriteNull("debuginfo");
            w.WriteString("faultcode", f.Status < 500 ? "Client" : "Server");
            w.WriteString("faultstring", f.Message);
        })),
    };

    public static string Time(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A value in a body isn't as it must be.</summary>
    public static Fault Invalid(string field, string? value, string why) => Fault.BadRequest($"Invalid input for field/attribute {field}. Value: '{(value?.Length > 100 ? value[..100] : value)}'. {why}");

    /// <exception cref="Fault">400: an object holds something else than these.</exception>
    public static void OnlyKnows(System.Text.Json.JsonElement body, params string[] names)
    {
        foreach (var p in body.EnumerateObject())
            if (!names.Contains(p.Name)) throw Fault.BadRequest($"Unknown attribute: {(p.Name.Length > 60 ? p.Name[..60] : p.Name)}");
    }
}
