using Cloud.Platform.Access;
using Cloud.Platform.Blobs;
using Cloud.Platform.Bus;
using Cloud.Platform.Hosting;
using Cloud.Platform.Net;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Platform;

/// <summary>What every handler, step and trigger may use. Made once in Program.cs; tests make their own.</summary>
public sealed class Services
{
    public required IEntityStore Store { get; init; }
    public required IBus Bus { get; init; }
    /// <summary>Bytes on this machine.</summary>
    public required IBlobStore Blobs { get; init; }
    /// <summary>Where images may be; the first is where they go when nobody says.</summary>
    public required IReadOnlyList<BlobPlace> ImageStores { get; init; }
    public required IConfined Confined { get; init; }
    /// <summary>Where the bytes of objects are.</summary>
    public required ReplicatedBlobs Objects { get; init; }
    public required TimeProvider Clock { get; init; }
    public required IIds Ids { get; init; }
    public required IOutbound Outbound { get; init; }
    public required Policy Policy { get; init; }
    public required ITokens Tokens { get; init; }
    public required SagaRegistry Sagas { get; init; }
    public required Settings Settings { get; init; }
    public required IReadOnlyList<Slice> Slices { get; init; }

    public DateTimeOffset Now => Clock.GetUtcNow();
}

/// <summary>What an operator may set.</summary>
public sealed record Settings
{
    public string Region { get; init; } = "RegionOne";
    /// <summary>Of the first administrator; null makes none.</summary>
    public string? AdminPassword { get; init; }
    /// <summary>Of an ordinary user to try things with; null makes none.</summary>
    public string? DemoPassword { get; init; }
    /// <summary>How long a host may be silent before it counts as down.</summary>
    public TimeSpan HostSilence { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>Address hosts fetch images from, e.g. http://127.0.0.1:8774.</summary>
    public string ControlUrl { get; init; } = "http://127.0.0.1:8774";
    /// <summary>Name of the provider network that external networks use when none is named.</summary>
    public string DefaultPhysical { get; init; } = "public";
    /// <summary>Internal networks that downloads and webhooks may reach all the same.</summary>
    public IReadOnlyList<System.Net.IPNetwork> OutboundOpened { get; init; } = [];
    /// <summary>Proxies whose word counts on whom a request came from and by which address; nobody's unless named.</summary>
    public IReadOnlyList<System.Net.IPNetwork> TrustedProxies { get; init; } = [];
    /// <summary>Origins whose pages may use the APIs from a browser, e.g. https://dashboard.example; * for all.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];
    /// <summary>How long an upload in parts may take; what nobody completed until then is removed.</summary>
    public TimeSpan UploadLife { get; init; } = TimeSpan.FromDays(7);
    public PasswordRules Passwords { get; init; } = new();
    /// <summary>OpenID issuers whose tokens can be logged in with, once an identity provider names them.</summary>
    public IReadOnlyDictionary<string, OpenIdIssuer> OpenId { get; init; } = new Dictionary<string, OpenIdIssuer>();
    /// <summary>Stores of copies of objects besides the directories, by their names.</summary>
    public IReadOnlyDictionary<string, StoreSetting> ObjectStores { get; init; } = new Dictionary<string, StoreSetting>();
    /// <summary>Other clusters that containers may follow.</summary>
    public SyncSettings Sync { get; init; } = new();
    /// <summary>Stores of images besides the one on this machine, by their names.</summary>
    public IReadOnlyDictionary<string, StoreSetting> ImageStores { get; init; } = new Dictionary<string, StoreSetting>();
    /// <summary>What is the whole cloud's needs a system-scoped token; without, any project's administrator may do it.</summary>
    public bool EnforceScope { get; init; }
    /// <summary>Who may not see a thing hears whether it is there, in the few places where Keystone and Glance tell it.</summary>
    public bool TellsWhatExists { get; init; }
    /// <summary>Resources and metrics in a page of telemetry at most (Gnocchi's max_limit).</summary>
    public int MetricPage { get; init; } = 1000;

    /// <summary>Passwords, keys and connections are among them.</summary>
    public override string ToString() => Region;
}

/// <summary>Somebody who signs tokens.</summary>
public sealed record OpenIdIssuer
{
    /// <summary>Names of this cloud there: a token must be meant for one of them.</summary>
    public required string[] Audience { get; init; }
}

/// <summary>Realms: clusters of object storage whose operators have a key in common, so that containers may go from one to another.</summary>
public sealed record SyncSettings
{
    /// <summary>Which of them this one is: //REALM/CLUSTER; empty when nobody need know.</summary>
    public string Current { get; init; } = "";
    public Dictionary<string, SyncRealm> Realms { get; init; } = [];

    public SyncRealm? Find(string name) => Realms.FirstOrDefault(r => r.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}

/// <summary>A realm.</summary>
public sealed record SyncRealm
{
    public required string Key { get; init; }
    /// <summary>Accepted too, while keys are changed.</summary>
    public string? Key2 { get; init; }
    /// <summary>Addresses of accounts there, without the account: https://cloud/object-store/v1.</summary>
    public Dictionary<string, string> Clusters { get; init; } = [];

    /// <summary>Without the keys.</summary>
    public override string ToString() => nameof(SyncRealm);

    public string? Endpoint(string cluster) => Clusters.FirstOrDefault(c => c.Key.Equals(cluster, StringComparison.OrdinalIgnoreCase)).Value;
}
