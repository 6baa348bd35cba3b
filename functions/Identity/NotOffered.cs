using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>What Keystone documents and this cloud doesn't have: said in Keystone's own words of error, never an unknown path.</summary>
public static class NotOffered
{
    public static readonly Route[] Routes =
    [
        .. All("Certificates of PKI tokens are not used: tokens are signed with a key that never leaves the cloud.", "GET /v3/auth/tokens/OS-PKI/revoked", "GET /v3/OS-SIMPLE-CERT/ca", "GET /v3/OS-SIMPLE-CERT/certificates"),
        .. All("Revocations are not listed: every service of this cloud knows them.", "GET /v3/OS-REVOKE/events"),
        .. All("SAML is not offered, neither as its identity provider nor as its service provider: what it signs is XML, of which a safe check is a subject of its own. Federate with OpenID Connect.",
            "GET /v3/OS-FEDERATION/saml2/metadata", "POST /v3/auth/OS-FEDERATION/saml2", "POST /v3/auth/OS-FEDERATION/saml2/ecp"),
        .. All("Browsers don't log in here: this cloud has no dashboard to bring them back to. Programs use the OpenID Connect protocol's auth.",
            "GET|POST /v3/auth/OS-FEDERATION/websso/{protocol}", "GET|POST /v3/auth/OS-FEDERATION/identity_providers/{id}/protocols/{protocol}/websso"),
    ];

    /// <param name="operations">METHOD[|METHOD...] PATH.</param>
    private static IEnumerable<Route> All(string why, params string[] operations) =>
        from operation in operations
        let parts = operation.Split(' ')
        from method in parts[0].Split('|')
        select Route.Missing(method, parts[1], "authenticated", why);
}
