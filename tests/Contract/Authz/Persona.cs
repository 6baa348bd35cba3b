using Cloud.Platform.Access;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit.ObjectStorage;

namespace Cloud.Tests.Contract.Authz;

/// <summary>Somebody who asks, with a token or, where signatures stand for tokens, with a key.</summary>
/// <param name="Caller">What his token says; null when it is none or says nothing any more.</param>
public sealed record Persona(string Name, Caller? Caller, string? Token, S3Client? Key)
{
    public override string ToString() => Name;

    /// <summary>Those of the matrix. Ann owns what paths name, in a project where Rae only reads; Eve is a member of another project.</summary>
    public static async Task<IReadOnlyList<Persona>> All(Scene scene)
    {
        var cloud = scene.Cloud;
        await cloud.AddUser("rae", "reader");
        await scene.Do("admin", "PUT", $"/identity/v3/projects/{{ann.project}}/users/{await cloud.IdOf("users", "rae")}/roles/{await cloud.IdOf("roles", "reader")}");
        await scene.Do("admin", "PUT", $"/identity/v3/domains/default/users/{await cloud.IdOf("users", "admin")}/roles/{await cloud.IdOf("roles", "admin")}");
        var place = new { project = new { id = scene["ann.project"] } };
        var credential = await cloud.Send("POST", $"/identity/v3/users/{await cloud.IdOf("users", "ann")}/application_credentials", new { application_credential = new { name = "restricted" } }, "ann");
        var old = await cloud.Token();
        var late = await Keyed(cloud, old);
        cloud.Clock.Advance(TimeSpan.FromMinutes(61));
        cloud.Forget();
        late.Ahead = TimeSpan.FromMinutes(-61);
        async Task<Persona> With(string name, string token, S3Client? key = null) => new(name, (await cloud.Services.Tokens.Verify(token, default))!, token, key);
        async Task<Persona> Signing(string name, string token) => await With(name, token, await Keyed(cloud, token));
        return
        [
            new("anonymous", null, null, null), new("expired", null, old, late),
            await Signing("admin", await cloud.Token()), await Signing("ann", await cloud.Token("ann")), await Signing("rae", (await cloud.Login("rae", place)).Token()), await Signing("eve", await cloud.Token("eve")),
            await With("restricted", (await cloud.Authenticate(credential)).Token()),
            // Administrators of the system and of a domain: of the one's things the other has none, and neither has a project.
            await With("system", (await cloud.Login("admin", new { system = new { all = true } })).Token()), await With("domain", (await cloud.Login("admin", new { domain = new { id = "default" } })).Token()),
        ];
    }

    private static async Task<S3Client> Keyed(TestCloud cloud, string token)
    {
        var caller = (await cloud.Services.Tokens.Verify(token, default))!;
        var made = (await cloud.Raw("POST", $"/identity/v3/users/{caller.UserId}/credentials/OS-EC2", token, $$"""{"tenant_id":"{{caller.ProjectId}}"}""")).Body.GetProperty("credential");
        return new(cloud, made.GetProperty("access").GetString()!, made.GetProperty("secret").GetString()!);
    }
}
