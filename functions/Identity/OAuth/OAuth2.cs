using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Microsoft.AspNetCore.WebUtilities;

namespace Cloud.Identity;

/// <summary>OAuth 2.0's client credentials, which are application credentials here: https://www.rfc-editor.org/rfc/rfc6749#section-4.4. The token is an ordinary one; every service takes it as Bearer too.</summary>
public static class OAuth2
{
    private const int MaxBody = 4096;
    private static readonly string[] Methods = ["application_credential"];

    public static readonly Route[] Routes = [new("POST", "/v3/OS-OAUTH2/token", Policy.Anyone, Issue) { Streams = true }];

    private static async ValueTask<Reply> Issue(Call c)
    {
        try
        {
            var form = QueryHelpers.ParseQuery(await Body(c));
            if (!form.TryGetValue("grant_type", out var grant)) return Refused(400, "invalid_request", "The parameter grant_type is required.");
            if (grant != "client_credentials") return Refused(400, "unsupported_grant_type", "Only the grant_type client_credentials is supported.");
            var (id, secret) = Basic(c.Header("Authorization")) ?? (form.GetValueOrDefault("client_id").ToString(), form.GetValueOrDefault("client_secret").ToString());
            var proof = await Proofs.Of(c, JsonSerializer.SerializeToElement(new { identity = new { methods = Methods, application_credential = new { id, secret } } }));
            if (Receipts.StillWanted(proof) is not null) throw Proofs.Denied();
            var (token, caller) = await Auth.Sign(c, proof, 'p', proof.Credential!.Scope);
            return Reply.Object(200, w =>
            {
                w.WriteString("access_token", token);
                w.WriteString("token_type", "Bearer");
                w.WriteNumber("expires_in", (long)(caller.ExpiresAt - c.Now).TotalSeconds);
            }).With("Cache-Control", "no-store");
        }
        catch (Fault f) when (f.Status == 401) { return Refused(401, "invalid_client", "Client authentication failed.").With("WWW-Authenticate", $"Keystone uri=\"{c.BaseUrl}\""); }
    }

    private static async ValueTask<string> Body(Call c) => Encoding.UTF8.GetString(await WholeBody.Read(c.Stream!, MaxBody, c.Cancelled) ?? throw new Fault(413, "Request is too large."));

    private static (string, string)? Basic(string? header)
    {
        if (!AuthenticationHeaderValue.TryParse(header, out var basic) || !basic.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || basic.Parameter is null) return null;
        try { return Encoding.UTF8.GetString(Convert.FromBase64String(basic.Parameter)).Split(':', 2) is [var id, var secret] ? (id, secret) : null; }
        catch (FormatException) { return null; }
    }

    private static Reply Refused(int status, string error, string why) => Reply.Object(status, w =>
    {
        w.WriteString("error", error);
        w.WriteString("error_description", why);
    });
}
