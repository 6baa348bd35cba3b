using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>The service catalog: enabled services with their endpoints, under the address the client came by.</summary>
public static partial class Catalog
{
    /// <summary>Stands in an endpoint's address for scheme, host and port of the request.</summary>
    public const string Root = "$(root)s";

    private static readonly SearchValues<char> Special = SearchValues.Create("%$(){}");

    /// <summary>All services and endpoints, and other clouds that trust this one; the disabled ones too.</summary>
    internal sealed record Stored(IReadOnlyList<Service> Services, IReadOnlyList<Endpoint> Endpoints, IReadOnlyList<ServiceProvider> Others);

    private sealed record Entry(Service Service, IReadOnlyList<(Endpoint Endpoint, string Url)> Endpoints);

    internal static async ValueTask<Stored> Read(IEntityStore store) => new(await Endpoints.Services.InProject(store, ""), await Endpoints.Rows.InProject(store, ""), await ServiceProviders.Rows.InProject(store, ""));

    public static async ValueTask<Action<Utf8JsonWriter>> Of(Call c, Caller caller)
    {
        var (services, all, _) = await Auth.TokensOf(c).Catalog.Get();
        var seen = caller.ProjectId is { } project ? await EndpointFilter.Of(c, project, all) ?? all : all;
        var endpoints = seen.Where(e => e.Enabled).ToLookup(e => e.ServiceId);
        var entries = new List<Entry>();
        foreach (var service in services)
            if (service.Enabled) entries.Add(new(service, [.. endpoints[service.Id].Select(e => (e, Url(c, e, caller))).Where(e => e.Item2 is not null)!]));
        return w => Write(w, entries);
    }

    public static async ValueTask<Reply> Show(Call c)
    {
        var catalog = await Of(c, c.Caller);
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            catalog(w);
            w.WriteStartObject("links");
            w.WriteString("self", c.BaseUrl + c.Path);
            w.WriteEndObject();
            w.WriteEndObject();
        });
    }

    public static string RootOf(Call c) => c.BaseUrl[..c.BaseUrl.LastIndexOf('/')];

    /// <summary>Whether an endpoint may have this address.</summary>
    public static bool IsTemplate(string url)
    {
        var plain = Placeholder().Replace(url.Replace(Root, "http://root", StringComparison.Ordinal), "x");
        return !plain.AsSpan().ContainsAny(Special) && Uri.TryCreate(plain, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "ws" or "wss";
    }

    // An address that needs a project isn't shown to those who have none.
    private static string? Url(Call c, Endpoint e, Caller caller)
    {
        var complete = true;
        var url = Placeholder().Replace(e.Url, m =>
        {
            var value = m.Groups[1].Value switch { "project_id" or "tenant_id" => caller.ProjectId, "user_id" => caller.UserId, _ => RootOf(c) };
            complete &= value is not null;
            return value ?? "";
        });
        return complete ? url : null;
    }

    private static void Write(Utf8JsonWriter w, List<Entry> entries)
    {
        w.WriteStartArray("catalog");
        foreach (var (service, endpoints) in entries)
        {
            w.WriteStartObject();
            w.WriteString("id", service.Id);
            w.WriteString("type", service.Type);
            w.WriteString("name", service.Name ?? "");
            w.WriteStartArray("endpoints");
            foreach (var (e, url) in endpoints)
            {
                w.WriteStartObject();
                w.WriteString("id", e.Id);
                w.WriteString("interface", e.Interface);
                w.WriteString("region", e.RegionId);
                w.WriteString("region_id", e.RegionId);
                w.WriteString("url", url);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    [GeneratedRegex(@"[%$]\((project_id|tenant_id|user_id|root)\)s")]
    private static partial Regex Placeholder();
}
