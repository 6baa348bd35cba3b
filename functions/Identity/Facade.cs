using Cloud.Platform;
using Cloud.Platform.Access;

namespace Cloud.Identity;

/// <summary>What other services ask of identity.</summary>
public static class Facade
{
    /// <summary>False when the project is gone or disabled: work that was accepted for it must stop.</summary>
    public static async ValueTask<bool> Lives(Services s, string projectId) => (await Directory.Projects.Get(s.Store, "", projectId))?.Item.Enabled == true;

    /// <summary>The secret of an EC2 access key, and who its holder is now in the key's project; null for anything but a live key.</summary>
    public static ValueTask<(Caller Caller, string Secret)?> OfAccessKey(Services s, string access) => Ec2Keys.Holder(s, access);

    /// <summary>
    /// Who holds an application credential, to be asked as often as that matters: null once the credential, its user, his roles or the project is gone.
    /// Null at once when the secret is wrong.
    /// </summary>
    public static async ValueTask<Func<ValueTask<Caller?>>?> OfApplicationCredential(Services s, string id, string secret)
    {
        if (await AppCredentials.Holder(s.Store, (await AppCredentials.Rows.Get(s.Store, "", id))?.Item, secret, s.Now) is not var (credential, user)) return null;
        var claims = Auth.Claims(user, 'p', credential.Scope, s.Now, credential.ExpiresAt ?? DateTimeOffset.MaxValue, "application_credential", credential.Id);
        return async () => claims.ExpiresAt > s.Now ? await Callers.Of(s.Store, claims) : null;
    }

    /// <summary>The key made of a secret for one DATE/REGION/SERVICE/aws4_request.</summary>
    public static byte[] SigningKey(string secret, string scope) => AwsSignature.Key(secret, scope);

    /// <summary>Names of a caller's project and of himself, where they are unique: in the default domain. Null for anybody else.</summary>
    public static async ValueTask<(string Project, string User)?> NamesOf(Services s, Caller caller) =>
        caller is { ProjectDomainId: "default", UserDomainId: "default", ProjectId: { } id } && (await Directory.Projects.Get(s.Store, "", id))?.Item is { } project && (await Directory.Users.Get(s.Store, "", caller.UserId))?.Item is { } user
            ? (project.Name, user.Name) : null;
}
