using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>
/// Users who must prove themselves in several ways (options multi_factor_auth_rules and multi_factor_auth_enabled), at once or one after the other:
/// a receipt says what has been proved until now. https://docs.openstack.org/keystone/latest/admin/auth-receipts.html
/// </summary>
internal static class Receipts
{
    private const string Header = "Openstack-Auth-Receipt";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    /// <summary>The proof with what a receipt in the request adds to it.</summary>
    /// <exception cref="Fault">401.</exception>
    public static async ValueTask<Proof> Add(Call c, Proof proof)
    {
        if (c.Header(Header) is not { } receipt) return proof;
        if (await Auth.TokensOf(c).Read(receipt) is not { Kind: 'r' } said || said.UserId != proof.User.Id || said.Era != proof.User.Era) throw Proofs.Denied();
        return proof with { Methods = string.Join(',', said.Methods.Split(',').Union(proof.Methods.Split(','))) };
    }

    /// <summary>Lists of methods of which one has to be complete; null when it is, or there is no such rule.</summary>
    public static IReadOnlyList<string[]>? StillWanted(Proof proof)
    {
        var options = proof.User.Options;
        if (!options.TryGetValue("multi_factor_auth_rules", out var rules) || options.TryGetValue("multi_factor_auth_enabled", out var on) && on.ValueKind == JsonValueKind.False) return null;
        // What this cloud doesn't know can't be wanted of anybody.
        var wanted = rules.EnumerateArray().Select(rule => rule.EnumerateArray().Select(m => m.GetString()!).Where(Proofs.Methods.Contains).ToArray()).Where(rule => rule.Length > 0).ToList();
        var proved = proof.Methods.Split(',');
        return wanted.Count == 0 || wanted.Exists(rule => rule.All(proved.Contains)) ? null : wanted;
    }

    public static async ValueTask<Reply> Answer(Call c, Proof proof, IReadOnlyList<string[]> wanted)
    {
        var claims = Auth.Claims(proof.User, 'r', "", c.Now, c.Now + Life, proof.Methods, "");
        var domain = (await Directory.Get(c, Directory.Domains, proof.User.DomainId))!;
        var body = Reply.Object(401, w =>
        {
            w.Object("receipt", () =>
            {
                w.Strings("methods", proof.Methods.Split(','));
                w.Object("user", () =>
                {
                    w.WriteString("id", proof.User.Id);
                    w.WriteString("name", proof.User.Name);
                    w.Object("domain", () =>
                    {
                        w.WriteString("id", domain.Id);
                        w.WriteString("name", domain.Name);
                    });
                });
                w.WriteString("issued_at", IdentityDialect.Value.Time(claims.IssuedAt));
                w.WriteString("expires_at", IdentityDialect.Value.Time(claims.ExpiresAt));
            });
            w.Array("required_auth_methods", wanted, rule => JsonSerializer.Serialize(w, rule));
        });
        return body.With(Header, await Auth.TokensOf(c).Issue(claims));
    }
}
