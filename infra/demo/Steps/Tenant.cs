using System.Security.Cryptography;
using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>A project of its own with everything around one server.</summary>
internal static class Tenant
{
    /// <summary>What the first boot runs: a file to look at later, and a server that sends back each line.</summary>
    private const string UserData = """
        #!/bin/sh
        echo "hello from user_data" > /home/cirros/hello
        busybox nc -ll -p 7777 -e /bin/cat &
        """;

    internal static async Task Run(Stage s)
    {
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        await s.Admin.Make("network", "create", "internet", "--external", "--provider-network-type", "flat", "--provider-physical-network", "public");
        await s.Admin.Make("subnet", "create", "internet", "--network", "internet", "--subnet-range", Internet.Range, "--gateway", Internet.Address, "--no-dhcp", "--allocation-pool", "start=198.51.100.100,end=198.51.100.199");
        s.Made.Project = await s.Admin.Make("project", "create", "acme");
        await s.Admin.Make("user", "create", "alice", "--project", "acme", "--password", password);
        await s.Admin.Run("role", "add", "--user", "alice", "--project", "acme", "member");

        s.User = new(new Dictionary<string, string>
        {
            ["OS_AUTH_URL"] = s.Cloud.Url + "/identity/v3", ["OS_USERNAME"] = "alice", ["OS_PASSWORD"] = password, ["OS_PROJECT_NAME"] = "acme", ["OS_USER_DOMAIN_ID"] = "default",
            ["OS_PROJECT_DOMAIN_ID"] = "default", ["OS_IDENTITY_API_VERSION"] = "3", ["OS_REGION_NAME"] = "RegionOne",
        }, s);
        await Hear.Begin(s);
        s.Made.KeyFile = Path.Combine(s.Data, "alice.key");
        await Tool.Run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", s.Made.KeyFile], TimeSpan.FromSeconds(20), s.Stop);
        await s.User.Run("keypair", "create", "alice", "--public-key", s.Made.KeyFile + ".pub");

        await s.User.Make("network", "create", "inside");
        await s.User.Make("subnet", "create", "inside", "--network", "inside", "--subnet-range", "10.7.0.0/24");
        await s.User.Make("router", "create", "edge");
        await s.User.Run("router", "set", "edge", "--external-gateway", "internet");
        await s.User.Run("router", "add", "subnet", "edge", "inside");

        await s.User.Make("security", "group", "create", "web");
        foreach (var rule in (await s.User.Json("security", "group", "rule", "list", "web")).EnumerateArray())
            await s.User.Run("security", "group", "rule", "delete", rule.GetProperty("ID").GetString()!);
        await s.User.Make("security", "group", "rule", "create", "web", "--ingress", "--protocol", "tcp", "--dst-port", "22", "--remote-ip", "0.0.0.0/0");
        await s.User.Make("security", "group", "rule", "create", "web", "--egress", "--protocol", "tcp", "--dst-port", "80", "--remote-ip", Internet.Address + "/32");
        await s.User.Make("security", "group", "rule", "create", "web", "--ingress", "--protocol", "icmp");

        await s.User.Make("volume", "create", "notes", "--size", "1");
        await s.User.Becomes("available", TimeSpan.FromMinutes(1), "status", "volume", "show", "notes");

        s.Made.FirstServer = await Server(s, "one", UserData);
    }

    internal static async Task<string> Server(Stage s, string name, string userData)
    {
        var file = Path.Combine(s.Data, $"{name}.user_data");
        await File.WriteAllTextAsync(file, userData.ReplaceLineEndings("\n") + "\n", s.Stop);
        return await s.User.Make("server", "create", name, "--image", "tiny", "--flavor", "m1.tiny", "--network", "inside", "--security-group", "web", "--key-name", "alice", "--user-data", file);
    }
}
