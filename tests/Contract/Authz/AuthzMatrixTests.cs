using System.Text.RegularExpressions;
using Cloud.Identity;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract.Authz;

/// <summary>
/// Every route with everybody who may ask, for what is there and for what isn't: who gets through is what the rules say, whoever doesn't changes nothing,
/// and to a stranger what he may not see is what isn't there, to the byte.
/// </summary>
public sealed partial class AuthzMatrixTests(Scene scene) : IClassFixture<Scene>
{
    // The rule lets everybody ask, and the handler asks another one that depends on what is asked for.
    private static readonly string[] AskMore =
    [
        "GET /v3/role_assignments", "GET /v3/OS-TRUST/trusts", "POST /v3/OS-TRUST/trusts", "PUT /v3/OS-OAUTH1/authorize/{id}", "GET /v3/domains/{id}/config/security_compliance", "GET /v3/domains/{id}/config/security_compliance/{option}", "PUT /v2/images/{image_id}/members/{member}",
        "DELETE /v2/stores/{store}/{image_id}", "PUT /{bucket}", "GET /v2.1/os-keypairs/{name}", "DELETE /v2.1/os-keypairs/{name}",
        // A bill is looked for in one's own project, and a sum is of what one sees; no price has a group.
        "GET /v1/items/{id}", "POST /v1/aggregation/resource/{type}/metric/{name}", "GET /v1/rating/module_config/hashmap/mappings/group", "GET /v1/rating/module_config/hashmap/thresholds/group",
        // There is no list of those who may use what all may, and nothing of volumes of another project; what is offered by default is no secret; old versions name hosts otherwise.
        "GET /v1/webhooks/{id}/deliveries/{number}", "DELETE /v1/webhooks/{id}/keys/{key_id}", "GET /v3/{project_id}/attachments/{id}", "GET /v2.1/os-quota-sets/{target}/defaults",
        "GET /v2.1/flavors/{id}/os-flavor-access", "GET /v3/{project_id}/types/{id}/os-volume-type-access", "POST /v3/{project_id}/snapshots", "POST /v2.1/servers/{id}/os-volume_attachments", "GET /v2.1/os-hypervisors/{host}/search", "GET /v2.1/os-hypervisors/{host}/servers",
    ];

    // Which of these there are is no secret.
    private static readonly string[] Known = ["identity:get_role", "identity:update_role", "identity:delete_role", "identity:get_endpoint", "identity:update_endpoint", "identity:delete_endpoint", "identity:get_trust", "identity:delete_trust", "identity:list_roles_for_trust", "identity:get_role_for_trust"];

    // They went with the first deletion.
    private const string Bytes = "/v2/images/{image_id}/file";

    // Done once, it isn't there any more.
    private static readonly string[] Once = ["POST /v1/dead-letters/{queue}/{id}/replay"];

    // What outlives or exceeds a token is not made with one that was lent.
    private static readonly string[] NotForLent =
    [
        "POST /v3/users/{user_id}/application_credentials", "DELETE /v3/users/{user_id}/application_credentials/{id}", "DELETE /v3/users/{user_id}/access_rules/{id}", "POST /v3/credentials", "PATCH /v3/credentials/{id}",
        "DELETE /v3/credentials/{id}", "POST /v3/users/{user_id}/credentials/OS-EC2", "DELETE /v3/users/{user_id}/credentials/OS-EC2/{access}", "DELETE /v3/OS-TRUST/trusts/{trust_id}", "DELETE /v3/users/{user_id}/OS-OAUTH1/access_tokens/{id}",
    ];

    [Fact]
    public async Task Who_gets_through_is_what_the_rules_say_and_strangers_learn_nothing()
    {
        var personas = await Persona.All(scene);
        var belongings = await Furniture.Of(scene);
        Assert.Empty(Slices.All.Select(s => s.Prefix).Except(belongings.Keys));
        // The same cloud once more, where what is the whole cloud's needs a token for the system. Whose signature stands for a token isn't asked again.
        await using var strict = scene.Cloud.Copy(settings: scene.Cloud.Services.Settings with { EnforceScope = true });
        var (wrong, cells) = await Matrix(scene.Cloud, personas, belongings, _ => true);
        var (more, further) = await Matrix(strict, [.. personas.Where(p => p.Key is null || p.Name is "admin" or "eve")], belongings.Where(b => b.Key != "s3").ToDictionary(), r => r.Path != Bytes);
        Assert.True(wrong.Count + more.Count == 0, $"{wrong.Count} of {cells}:\n{string.Join('\n', wrong)}\nand with scope enforced {more.Count} of {further}:\n{string.Join('\n', more)}");
        Assert.InRange(cells + further, 15_000, 60_000);
    }

    private static async Task<(List<string> Wrong, int Cells)> Matrix(TestCloud cloud, IReadOnlyList<Persona> personas, IReadOnlyDictionary<string, Belongings> belongings, Func<Route, bool> wanted)
    {
        var (wrong, cells) = (new List<string>(), 0);
        var before = cloud.Store.All;
        var written = false;
        cloud.Store.OnCommit = after => written |= after;
        foreach (var slice in Slices.All.Where(s => belongings.ContainsKey(s.Prefix)))
            foreach (var route in slice.Routes.Where(r => wanted(r) && belongings[slice.Prefix].Covers(r)).OrderBy(r => r.Method, Comparer<string>.Create((a, b) => Harm(a) - Harm(b))))
                foreach (var persona in personas.Where(p => slice.Prefix != "s3" || p.Name == "anonymous" || p.Key is not null))
                {
                    var own = belongings[slice.Prefix];
                    if (own.Waits.Contains(route.Action) && persona.Caller is { } waiting && Allowed(cloud, slice, route, waiting, own.Owner(route), own)) continue;
                    var there = await Ask(persona, slice, route, own, -1);
                    if (Judge(cloud, persona, slice, route, own, there.Status) is { } why) wrong.Add($"{persona} {route.Method} {slice.Prefix}{route.Path} {route.Action}: {there.Status} {why} {(there.Text.Length > 150 ? there.Text[..150] : there.Text)}");
                    var words = Belongings.Words(route);
                    for (var i = 0; i < words.Count; i++)
                    {
                        var absent = await Ask(persona, slice, route, own, i);
                        // A stranger's only, who sees nothing there.
                        var told = persona.Name == "eve" && there.Status >= 400 && !Known.Contains(route.Policy) && !own.Open.Contains(words[i]);
                        if (told && (there.Status, Same(there.Text, own.Ids[words[i]])) != (absent.Status, Same(absent.Text, Belongings.Absent(words[i]))))
                            wrong.Add($"{persona} {route.Method} {slice.Prefix}{route.Path}: {there.Status} {there.Text} but without {words[i]} {absent.Status} {absent.Text}");
                    }
                }
        return (wrong, cells);

        async Task<Answer> Ask(Persona p, Slice slice, Route route, Belongings own, int absent)
        {
            cells++;
            written = false;
            var (path, body) = (own.Path(slice, route, absent, p.Caller?.ProjectId), own.Body(route));
            // The key that a body names is that of the path.
            if (absent >= 0 && route.Path.EndsWith("/metadata/{key}", StringComparison.Ordinal)) body = body?.Replace("\"k\"", $"\"{path[(path.LastIndexOf('/') + 1)..]}\"", StringComparison.Ordinal);
            var answer = slice.Prefix == "s3" && p.Key is { } key ? await key.Send(route.Method, path["/s3".Length..], body ?? "")
                : await cloud.Raw(route.Method, path, p.Token, body, ("Content-Length", (body?.Length ?? 0).ToString()), ("Content-Type", Type(route)), ("X-Subject-Token", p.Token ?? ""), ("Destination", "shelf/copy"), ("OpenStack-API-Version", own.Newest is { } newest ? route.Until is { } last ? $"{newest.Split(' ')[0]} {last}" : newest : ""));
            if (!written) return answer;
            if (answer.Status is 401 or 403 or 404) wrong.Add($"{p} {route.Method} {path}: {answer.Status} all the same wrote {cloud.Store.Last}");
            cloud.Store.Load(before);
            ((Tokens)cloud.Services.Tokens).Forget();
            return answer;
        }
    }

    private static string Type(Route route) => route.Streams ? "application/octet-stream" : route.Method == "PATCH" && route.Path.StartsWith("/v2/images", StringComparison.Ordinal) ? "application/openstack-images-v2.1-json-patch" : "application/json";

    private static string Same(string text, string id) => RequestId().Replace(text.Replace(id, "ID", StringComparison.Ordinal), "");

    [GeneratedRegex("req-[0-9a-f-]{36}")]
    private static partial Regex RequestId();

    // What reads first, what removes last: bytes are not brought back with the rows.
    private static int Harm(string method) => method switch { "GET" or "HEAD" => 0, "DELETE" => 2, _ => 1 };

    /// <returns>What is wrong with this answer about something that is there; null for nothing.</returns>
    private static string? Judge(TestCloud cloud, Persona persona, Slice slice, Route route, Belongings own, int status)
    {
        // What isn't offered is said to whoever may.
        if (status is >= 500 and not 501) return "broke";
        if (persona.Caller is not { } caller) return status == (slice.Prefix == "s3" ? 403 : 401) ? null : "though nobody asked";
        var name = $"{route.Method} {route.Path}";
        if (AskMore.Contains(name)) return null;
        // Nothing here is anybody's who has no project; and a path that begins with a project doesn't exist for him.
        if (caller.ProjectId is null && slice.Prefix is not ("identity" or "object-store") && status is 400 or 403) return null;
        var owner = own.Owner(route);
        var allowed = Allowed(cloud, slice, route, caller, owner, own) && !(caller.Restricted && NotForLent.Contains(name));
        if (persona.Name == "eve" && owner is not null && allowed) return "a stranger is let in by the rule";
        if (persona.Name == "rae" && route.Method is not ("GET" or "HEAD") && route.Action != "os-show_image_metadata" && owner is { ProjectId: not null } && allowed) return "a reader is let write by the rule";
        return (allowed, status) switch
        {
            (true, 404) when Once.Contains(name) => null,
            (true, 401 or 403 or 404) => "though the rule allows",
            (false, < 400 or 400 or > 404) => "though the rule denies",
            _ => null,
        };
    }

    private static bool Allowed(TestCloud cloud, Slice slice, Route route, Caller caller, Target? owner, Belongings own)
    {
        bool May(string rule, Target t) => cloud.Services.Policy.Allows(rule, caller, t);
        // A bucket's name means another one to each project.
        if (slice.Prefix == "s3" && owner is { } o && o.ProjectId != caller.ProjectId) return false;
        if (slice.Prefix == "object-store") return May("object:reseller", default) || May(route.Policy, owner ?? default);
        var place = new Target(caller.ProjectId, route.Path.Contains("{user_id}", StringComparison.Ordinal) ? own.Ids["users"] : caller.UserId, caller.DomainId ?? caller.ProjectDomainId);
        return (route.AsksItself || May(route.Policy, place)) && May(route.Policy, owner ?? place);
    }
}
