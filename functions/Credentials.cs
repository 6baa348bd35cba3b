using System.Security.Cryptography;

namespace Cloud;

/// <summary>The files that let OpenStack clients in.</summary>
public static class Credentials
{
    public static void Write(string data, string url, string admin, string demo)
    {
        Private(Path.Combine(data, "openrc"), $"""
            export OS_AUTH_URL={url}/identity/v3 OS_USERNAME=admin OS_PASSWORD={admin} OS_PROJECT_NAME=admin
            export OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne

            """);
        Private(Path.Combine(data, "clouds.yaml"), $"clouds:\n{Entry("admin", url, admin)}{Entry("demo", url, demo)}");
    }

    /// <summary>Writes a file that only its owner may read.</summary>
    public static void Private(string path, string text)
    {
        var part = path + ".part";
        using (var file = new FileStream(part, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
        File.Move(part, path, overwrite: true);
    }

    /// <summary>A secret made once and kept beside the state.</summary>
    public static string Secret(string data, string name)
    {
        var file = Path.Combine(data, name);
        if (!File.Exists(file)) Private(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        return File.ReadAllText(file).Trim();
    }

    private static string Entry(string name, string url, string password) => $"""
          {name}:
            region_name: RegionOne
            identity_api_version: 3
            auth:
              auth_url: {url}/identity/v3
              username: {name}
              password: {password}
              project_name: {name}
              user_domain_id: default
              project_domain_id: default

        """;
}
