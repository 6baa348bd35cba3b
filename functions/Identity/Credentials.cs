using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#credentials</summary>
public static class Credentials
{
    public static readonly Rows<Credential> Rows = new("credential", "identity") { Global = true };

    public static readonly Kind<Credential> Kind = new(Rows, "credentials", "/v3/credentials", IdentityDialect.Value)
    {
        Sees = "identity:get_credential",
        TargetOf = x => new(null, x.UserId),
        Check = async (c, d) =>
        {
            Auth.Unrestricted(c);
            var item = d.Item with { UserId = d.Item.UserId.Length > 0 ? d.Item.UserId : c.Caller.UserId };
            if (d.Old is null)
            {
                c.Require("identity:create_credential", new(null, item.UserId));
                await Directory.Need(c, Directory.Users, item.UserId);
                item = item with { MadeBy = c.Caller.AppCredentialId };
            }
            if (item.Type == "ec2")
            {
                var access = AccessOf(item.Blob) ?? throw Fault.BadRequest("Invalid blob in credential: EC2 keys are a JSON object with 'access' and 'secret'.");
                if (item.Project is null) throw Fault.BadRequest("Invalid credential: EC2 keys need a project_id.");
                if (d.Old is null) item = item with { Id = IdOf(access) };
                if (d.Old is null && await Directory.Get(c, Rows, item.Id) is not null) throw Fault.Conflict("Conflict occurred attempting to store credential - Duplicate entry.");
            }
            d.Item = item;
        },
        CheckDelete = (c, _) =>
        {
            Auth.Unrestricted(c);
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, x, _) => IdentityDialect.SelfLink(w, c, "credentials", x.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_credentials"), Kind.Create("identity:create_credential"), Kind.Show("identity:get_credential"), Kind.Update("identity:update_credential"), Kind.Delete("identity:delete_credential"),
    ];

    /// <summary>Those of a user, or of a project that ends.</summary>
    public static async ValueTask RemoveOf(Call c, Func<Credential, bool> gone)
    {
        foreach (var x in (await Rows.InProject(c.Store, "")).Where(gone))
            if (await Rows.Get(c.Store, "", x.Id) is { } row) await Rows.Remove(c.Services, row, Change.By(c));
    }

    /// <summary>EC2 keys are found by their access key without its being kept as an id that others see.</summary>
    public static string IdOf(string access) => Passwords.Fingerprint(access);

    private static string? AccessOf(string blob)
    {
        try
        {
            using var json = JsonDocument.Parse(blob);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("secret", out var s) && s.ValueKind == JsonValueKind.String
                && json.RootElement.TryGetProperty("access", out var a) && a.ValueKind == JsonValueKind.String && a.GetString() is { Length: > 0 } access ? access : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
