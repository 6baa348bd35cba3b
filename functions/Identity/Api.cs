using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Keystone's API, version 3.14.</summary>
public static class Api
{
    public static readonly Slice Slice = new("identity", "identity", IdentityDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Reply.Of(300, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("versions");
            w.WriteStartArray("values");
            Version(w, c);
            w.WriteEndArray();
            w.WriteEndObject();
            w.WriteEndObject();
        }))),
        new("GET", "/v3", Policy.Anyone, c => new(Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("version");
            Version(w, c);
            w.WriteEndObject();
        }))),
        new("POST", "/v3/auth/tokens", Policy.Anyone, Auth.Issue),
        new("GET", "/v3/auth/tokens", "identity:validate_token", Auth.Show), new("HEAD", "/v3/auth/tokens", "identity:check_token", Auth.Show),
        new("DELETE", "/v3/auth/tokens", "identity:revoke_token", Auth.Revoke),
        new("GET", "/v3/auth/catalog", "authenticated", Catalog.Show),
        .. Users.Routes, .. Groups.Routes, .. Projects.Routes, .. Domains.Routes,
        .. Roles.Routes, .. Assignments.Routes, .. RoleAssignments.Routes,
        .. Regions.Routes, .. Endpoints.Routes, .. EndpointFilter.Routes, .. Limits.Routes, .. Policies.Routes, .. EndpointPolicies.Routes,
        .. AppCredentials.Routes, .. AccessRules.Routes, .. Trusts.Routes, .. Credentials.Routes, .. Ec2Keys.Routes, .. SignedTokens.Routes, .. Consumers.Routes, .. RequestTokens.Routes, .. AccessTokens.Routes, .. OAuth2.Routes,
        .. IdentityProviders.Routes, .. Protocols.Routes, .. Mappings.Routes, .. ServiceProviders.Routes, .. FederatedLogins.Routes,
        .. NotOffered.Routes,
    ])
    {
        CatalogName = "keystone", CatalogPath = "/v3",
        Leftovers = Unowned.All,
        OnStart = Bootstrap.Run, OnEvent = Quota.OnEvent,
        Jobs = [new("sweep-revoked", TimeSpan.FromMinutes(10), async (s, ct) =>
        {
            await ((Tokens)s.Tokens).Sweep(ct);
            await OAuthSigned.Sweep(s, ct);
            await RequestTokens.Sweep(s, ct);
        }), new("sweep-members", TimeSpan.FromMinutes(1), LentMembers.Sweep)],
    };

    private static void Version(System.Text.Json.Utf8JsonWriter w, Call c)
    {
        w.WriteStartObject();
        w.WriteString("id", "v3.14");
        w.WriteString("status", "stable");
        w.WriteString("updated", "2020-04-07T00:00:00Z");
        w.WriteStartArray("links");
        w.WriteStartObject();
        w.WriteString("rel", "self");
        w.WriteString("href", c.BaseUrl + "/v3/");
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteStartArray("media-types");
        w.WriteStartObject();
        w.WriteString("base", "application/json");
        w.WriteString("type", "application/vnd.openstack.identity-v3+json");
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
