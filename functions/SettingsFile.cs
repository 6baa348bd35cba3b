using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Platform;
using Cloud.Platform.Blobs;
using Cloud.Platform.Rest;

namespace Cloud;

/// <summary>What an operator sets in a file: <c>{"outbound_opened": ["10.1.0.0/16"], "security_compliance": {"lockout_failure_attempts": 5}}</c>.</summary>
public sealed record SettingsFile
{
    public string[] OutboundOpened { get; init; } = [];
    public string[] TrustedProxies { get; init; } = [];
    public string[] AllowedOrigins { get; init; } = [];
    public PasswordRules SecurityCompliance { get; init; } = new();
    /// <summary>Until an upload in parts that nobody completes is removed.</summary>
    public int MultipartUploadDays { get; init; } = 7;
    public bool EnforceScope { get; init; }
    /// <summary>Until a host that isn't heard of is down.</summary>
    public int HostSilenceSeconds { get; init; } = 60;
    public bool TellWhatExists { get; init; }
    /// <summary>Longest page of telemetry's lists.</summary>
    public int MetricPage { get; init; } = 1000;
    public Dictionary<string, OpenIdIssuer> Openid { get; init; } = [];
    public Dictionary<string, StoreSetting> ObjectStores { get; init; } = [];
    public SyncSettings ContainerSync { get; init; } = new();
    public Dictionary<string, StoreSetting> ImageStores { get; init; } = [];

    /// <param name="path">Null for no file.</param>
    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static Settings Apply(string? path, Settings settings)
    {
        if (path is null) return settings;
        try
        {
            var file = JsonSerializer.Deserialize<SettingsFile>(File.ReadAllBytes(path), Dialect.Strict) ?? throw new JsonException("it is empty");
            if (file.SecurityCompliance.PasswordRegex is { } regex) _ = new Regex(regex);
            if (file.Openid.FirstOrDefault(i => i.Value.Audience.Length == 0) is { Key: { } issuer }) throw new FormatException($"{issuer} has no audience");
            foreach (var url in file.ContainerSync.Realms.Values.SelectMany(r => r.Clusters.Values))
                if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) throw new FormatException($"{url} is no address of a cluster");
            if (Array.Find(file.AllowedOrigins, o => o != "*" && !(Uri.TryCreate(o, UriKind.Absolute, out var u) && u.Scheme is "http" or "https" && u.GetLeftPart(UriPartial.Authority) == o)) is { } bad) throw new FormatException($"{bad} is no origin such as https://dashboard.example");
            settings = settings with { TrustedProxies = [.. file.TrustedProxies.Select(n => IPNetwork.Parse(n.Contains('/', StringComparison.Ordinal) ? n : $"{n}/{(n.Contains(':', StringComparison.Ordinal) ? 128 : 32)}"))], AllowedOrigins = file.AllowedOrigins };
            return settings with { OutboundOpened = [.. file.OutboundOpened.Select(n => IPNetwork.Parse(n))], Passwords = file.SecurityCompliance, EnforceScope = file.EnforceScope, HostSilence = file.HostSilenceSeconds is >= 30 and <= 86_400 ? TimeSpan.FromSeconds(file.HostSilenceSeconds) : throw new FormatException("host_silence_seconds must be from 30 to 86400"), TellsWhatExists = file.TellWhatExists, MetricPage = file.MetricPage is >= 1 and <= 10_000 ? file.MetricPage : throw new FormatException("metric_page must be from 1 to 10000"), UploadLife = TimeSpan.FromDays(file.MultipartUploadDays), OpenId = file.Openid, ObjectStores = file.ObjectStores, ImageStores = file.ImageStores, Sync = file.ContainerSync };
        }
        catch (Exception e) when (e is JsonException or FormatException or RegexParseException) { throw new ArgumentException($"{path}: {e.Message}"); }
    }
}
