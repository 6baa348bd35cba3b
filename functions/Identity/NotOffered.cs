using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>What Keystone documents and this cloud doesn't have: said in Keystone's own words of error, never an unknown path.</summary>
public static class NotOffered
{
    public static readonly Route[] Routes =
    [
        .. All("Certificates of PKI tokens are not used: tokens are signed with a key that never leaves the cloud.", "GET /v3/auth/tokens/OS-PKI/revoked", "GET /v3/OS-SIMPLE-CERT/ca", "GET /v3/OS-SIMPLE-CERT/certificates"),
        .. All("Revocations are not listed: every service of this cloud knows them.", "GET /v3/OS-REVOKE/events"),
        .. All("OAuth 1.0 is not offered; use application credentials.",
            "POST /v3/OS-OAUTH1/request_token", "POST /v3/OS-OAUTH1/access_token", "PUT /v3/OS-OAUTH1/authorize/{id}",
            "GET /v3/users/{user_id}/OS-OAUTH1/access_tokens", "GET|DELETE /v3/users/{user_id}/OS-OAUTH1/access_tokens/{id}",
            "GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{id}/roles", "GET /v3/users/{user_id}/OS-OAUTH1/access_tokens/{id}/roles/{role}"),
        .. All("Federation is not offered.",
            "GET /v3/OS-FEDERATION/saml2/metadata", "POST /v3/auth/OS-FEDERATION/saml2", "POST /v3/auth/OS-FEDERATION/saml2/ecp",
            "GET|POST /v3/auth/OS-FEDERATION/websso/{protocol}", "GET|POST /v3/auth/OS-FEDERATION/identity_providers/{id}/protocols/{protocol}/websso"),
    ];

    /// <param name="operations">METHOD[|METHOD...] PATH.</param>
    private static IEnumerable<Route> All(string why, params string[] operations) =>
        from operation in operations
        let parts = operation.Split(' ')
        from method in parts[0].Split('|')
        select Route.Missing(method, parts[1], "authenticated", why);
}
