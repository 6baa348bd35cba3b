using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>Debian's unmodified openstack command against a cloud of its own. Each call costs Python's start, so there are few of them.</summary>
public sealed class OpenStackClientTests : IAsyncLifetime
{
    private CloudStand? _cloud;
    private string Data => _cloud!.Data;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openstack"), "needs Debian's python3-openstackclient");
        _cloud = await CloudStand.Start("simulated:1");
    }

    public async ValueTask DisposeAsync()
    {
        if (_cloud is not null) await _cloud.DisposeAsync();
    }

    [Fact]
    public async Task People_roles_and_credentials()
    {
        await Run("project create --description x --tag t p1");
        var user = await Run("user create --password pw --email u@example --project p1 u1");
        Assert.Equal("u@example", user.GetProperty("email").GetString());
        await Run("role add --user u1 --project p1 member");
        var given = await Run("role assignment list --user u1 --names");
        Assert.Equal(("member", "u1@Default", "p1@Default"), (given[0].GetProperty("Role").GetString(), given[0].GetProperty("User").GetString(), given[0].GetProperty("Project").GetString()));
        var credential = await Run("--os-username u1 --os-password pw --os-project-name p1 application credential create ci --role reader");
        Assert.Equal("reader", credential.GetProperty("roles").GetString());
        var token = await Run($"--os-auth-type v3applicationcredential --os-application-credential-id {credential.GetProperty("id").GetString()} --os-application-credential-secret {credential.GetProperty("secret").GetString()} token issue", login: false);
        Assert.Equal(user.GetProperty("id").GetString(), token.GetProperty("user_id").GetString());
        Assert.Contains("No role", await Fails("role add --user u1 --project p1 nothing"), StringComparison.Ordinal);
        Assert.Contains((await Run("catalog list")).EnumerateArray(), s => s.GetProperty("Type").GetString() == "image");
    }

    [Fact]
    public async Task A_server_with_network_and_volume_comes_and_goes()
    {
        var file = Path.Combine(Data, "disk.raw");
        await File.WriteAllBytesAsync(file, new byte[65536], TestContext.Current.CancellationToken);
        await Run($"image create tiny --disk-format raw --file {file}");
        await Run("network create net");
        Assert.Equal("10.7.0.1", (await Run("subnet create sub --network net --subnet-range 10.7.0.0/24")).GetProperty("gateway_ip").GetString());
        await Run("volume create vol --size 1");
        var server = await Run("server create vm --image tiny --flavor m1.tiny --network net --property a=b --wait");
        Assert.Equal("ACTIVE", server.GetProperty("status").GetString());
        Assert.Contains("10.7.0.", server.GetProperty("addresses").GetRawText(), StringComparison.Ordinal);
        Assert.Equal("/dev/vdb", (await Run("server add volume vm vol")).GetProperty("Device").GetString());
        await Run("server stop vm");
        Assert.Contains("(HTTP 409)", await Fails("server stop vm"), StringComparison.Ordinal);
        Assert.Equal(["create", "attach_volume", "stop"], (await Run("server event list vm")).EnumerateArray().Select(e => e.GetProperty("Action").GetString()).Reverse());
        await Run("server delete vm --wait");
        await Run("volume delete vol");
        await Run("network delete net");
    }

    /// <returns>What it shows, as JSON.</returns>
    private async Task<JsonElement> Run(string command, bool login = true)
    {
        var shows = new[] { "create", "list", "show", "issue" }.Any(command.Contains) || command.Contains("add volume", StringComparison.Ordinal);
        var (exit, text, error) = await Start(command + (shows ? " -f json" : ""), login);
        Assert.True(exit == 0, $"openstack {command}: {error}");
        return shows && text.Length > 0 ? JsonDocument.Parse(text).RootElement.Clone() : default;
    }

    /// <returns>What it complains of.</returns>
    private async Task<string> Fails(string command)
    {
        var (exit, _, error) = await Start(command);
        Assert.NotEqual(0, exit);
        return error;
    }

    private Task<Ended> Start(string command, bool login = true) => _cloud!.Run("/usr/bin/openstack", command.Split(' '), login);
}
