using System.Text;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>Every command that Debian's openstack has for identity, given to the command's own shell: so Python starts a few times only. Complaints fail the test.</summary>
public sealed class IdentityClientTests
{
    private const string Program = "/usr/bin/openstack";
    private readonly HashSet<string> _known = [], _done = [];

    [Fact]
    public async Task Every_command()
    {
        Assert.SkipUnless(File.Exists(Program), "needs Debian's python3-openstackclient");
        await using var cloud = await CloudStand.Start();
        foreach (var group in JsonDocument.Parse(await cloud.Do(Program, "command list --group openstack.identity.v3 -f json")).RootElement.EnumerateArray())
            foreach (var command in group.GetProperty("Commands").EnumerateArray()) _known.Add(command.GetString()!);
        await File.WriteAllTextAsync(Path.Combine(cloud.Data, "rules.json"), """[{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "sub"}]}]""");
        await File.WriteAllTextAsync(Path.Combine(cloud.Data, "filters.json"), """{"interface": "public"}""");
        await File.WriteAllTextAsync(Path.Combine(cloud.Data, "access.json"), """[{"service": "compute", "method": "GET", "path": "/v2.1/servers"}]""");

        var made = await Shell(cloud, """
            domain create --description d dom
            domain set --description e dom
            domain show dom
            domain list
            project create --tag t p1
            project set --description x p1
            project show p1
            project list
            user create --password pw --project p1 u1
            user set --email u@example u1
            user show u1
            user list
            group create g1
            group set --description x g1
            group add user g1 u1
            group show g1
            group list --user u1
            role create r1
            role set --name r2 r1
            role show r2
            role list
            role add --user u1 --project p1 member
            role add --group g1 --project p1 r2
            role assignment list --names --project p1
            role remove --group g1 --project p1 r2
            implied role create r2 --implied-role reader
            implied role list
            implied role delete r2 --implied-role reader
            region create here
            region set --description x here
            region show here
            region list
            service create --name s1 kind
            service set --description x s1
            service show s1
            service list
            endpoint create --region here s1 public http://one
            endpoint list --service s1
            endpoint group create eg filters.json
            endpoint group set --description x eg
            endpoint group show eg
            endpoint group list
            endpoint group add project eg p1
            endpoint group remove project eg p1
            endpoint group delete eg
            credential create --type cert u1 words
            credential list
            ec2 credentials create --user u1 --project p1
            ec2 credentials list --user u1
            policy create filters.json
            policy list
            mapping create --rules rules.json m1
            mapping set --rules rules.json m1
            mapping show m1
            mapping list
            identity provider create --remote-id https://one idp
            identity provider set --description x idp
            identity provider show idp
            identity provider list
            federation protocol create --identity-provider idp --mapping m1 openid
            federation protocol set --identity-provider idp --mapping m1 openid
            federation protocol show --identity-provider idp openid
            federation protocol list --identity-provider idp
            federation protocol delete --identity-provider idp openid
            identity provider delete idp
            mapping delete m1
            service provider create --auth-url https://a --service-provider-url https://b sp
            service provider set --description x sp
            service provider show sp
            service provider list
            service provider delete sp
            consumer create --description x
            registered limit create --service s1 --default-limit 10 things
            registered limit list
            limit create --project p1 --service s1 --resource-limit 5 things
            limit list
            catalog list
            catalog show image
            federation domain list
            federation project list
            application credential create --role member --access-rules access.json ci
            application credential show ci
            application credential list
            application credential delete ci
            access rule list
            trust create --project admin --role admin admin u1
            trust list
            token issue
            """);
        string Of(string command, string field = "id") => made[command].GetProperty(field).GetString()!;
        Assert.Equal("u@example", Of("user show", "email"));
        Assert.Equal("r2", Of("role show", "name"));
        var assignment = made["role assignment list"].EnumerateArray().Select(a => $"{a.GetProperty("Role")} {a.GetProperty("User")} {a.GetProperty("Group")}").Order(StringComparer.Ordinal);
        Assert.Equal(["member u1@Default ", "r2  g1@Default"], assignment);

        var (endpoint, credential, policy, limit, registered) = (Of("endpoint create"), Of("credential create"), Of("policy create"), Of("limit create"), Of("registered limit create"));
        var (consumer, secret) = (Of("consumer create"), Of("consumer create", "secret"));
        var access = made["access rule list"][0].GetProperty("ID").GetString();
        var then = await Shell(cloud, $"""
            endpoint show {endpoint}
            endpoint set --url http://two {endpoint}
            endpoint add project {endpoint} p1
            endpoint remove project {endpoint} p1
            endpoint delete {endpoint}
            credential show {credential}
            credential set --user u1 --type cert --data other {credential}
            credential delete {credential}
            ec2 credentials show --user u1 {Of("ec2 credentials create", "access")}
            ec2 credentials delete --user u1 {Of("ec2 credentials create", "access")}
            policy show {policy}
            policy set --type text/plain {policy}
            policy delete {policy}
            limit show {limit}
            limit set --resource-limit 6 {limit}
            limit delete {limit}
            registered limit set --default-limit 20 {registered}
            registered limit show {registered}
            registered limit delete {registered}
            consumer show {consumer}
            consumer set --description y {consumer}
            consumer list
            request token create --consumer-key {consumer} --consumer-secret {secret} --project admin
            access rule show {access}
            access rule delete {access}
            trust show {Of("trust create")}
            trust delete {Of("trust create")}
            token revoke {Of("token issue")}
            """);
        Assert.Equal(20, then["registered limit show"].GetProperty("default_limit").GetInt32());
        var (key, hidden) = (then["request token create"].GetProperty("key").GetString(), then["request token create"].GetProperty("secret").GetString());
        var verifier = (await Shell(cloud, $"request token authorize --request-key {key} --role admin"))["request token authorize"].GetProperty("oauth_verifier").GetString();
        var last = await Shell(cloud, $"""
            access token create --consumer-key {consumer} --consumer-secret {secret} --request-key {key} --request-secret {hidden} --verifier {verifier}
            consumer delete {consumer}
            group remove user g1 u1
            group delete g1
            role remove --user u1 --project p1 member
            role delete r2
            service delete s1
            region delete here
            domain set --disable dom
            domain delete dom
            """);
        Assert.True(last["access token create"].TryGetProperty("secret", out _));
        await Alone(cloud, "group create g1", "group add user g1 u1");
        Assert.Contains("u1 in group g1", await Alone(cloud, "group contains user g1 u1"), StringComparison.Ordinal);
        await Alone(cloud, "role add --user u1 --project p1 member");
        await Alone(cloud, "--os-username u1 --os-password pw --os-project-name p1 user password set --original-password pw --password other");
        await Alone(cloud, "--os-username u1 --os-password other --os-project-name p1 token issue");
        await Shell(cloud, "user delete u1\nproject delete p1");
        Assert.Empty(_known.Except(_done));
    }

    /// <summary>Each on its own: what it prints is no JSON.</summary>
    private async Task<string> Alone(CloudStand cloud, params string[] commands)
    {
        var text = "";
        foreach (var command in commands)
        {
            Done(command);
            text = await cloud.Do(Program, command);
        }
        return text;
    }

    /// <returns>What each command that shows something showed.</returns>
    private async Task<Dictionary<string, JsonElement>> Shell(CloudStand cloud, string commands)
    {
        var (lines, shows) = (new StringBuilder(), new List<string>());
        foreach (var command in commands.Split('\n'))
        {
            var name = Done(command);
            var json = name.Split(' ')[^1] is "create" or "show" or "list" or "issue" or "authorize" || name is "limit set" or "registered limit set";
            if (json) shows.Add(name);
            lines.Append(command).Append(json ? " -f json" : "").Append('\n');
        }
        await File.WriteAllTextAsync(Path.Combine(cloud.Data, "commands"), lines.ToString());
        var ended = await cloud.Run("/bin/sh", ["-c", $"exec {Program} < commands"]);
        Assert.Equal("", ended.Error);
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(ended.Text), new JsonReaderOptions { AllowMultipleValues = true });
        var shown = new Dictionary<string, JsonElement>();
        foreach (var name in shows)
        {
            Assert.True(reader.Read());
            shown[name] = JsonElement.ParseValue(ref reader);
        }
        return shown;
    }

    private string Done(string command)
    {
        var name = _known.Where(k => (" " + command + " ").Contains($" {k} ", StringComparison.Ordinal)).MaxBy(k => k.Length) ?? throw new ArgumentException($"openstack knows no '{command}'");
        _done.Add(name);
        return name;
    }
}
