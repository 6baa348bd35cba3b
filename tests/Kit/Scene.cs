using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Cloud.Tests.Kit;

/// <summary>
/// A cloud in which two ordinary users, ann and eve, have one of everything. Texts may name what they have: <c>{net}</c> is ann's,
/// <c>{eve.net}</c> eve's, <c>{nothing}</c> an id that nobody ever had.
/// </summary>
public sealed partial class Scene : IAsyncLifetime
{
    private const string PublicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxQx8m0UeO7yTqTn6wY6mJ8oVd3vJc3W4o6r0m3b1cE me";
    private readonly Dictionary<string, string> _ids = new() { ["nothing"] = "00000000-0000-4000-8000-000000000000" };

    public TestCloud Cloud { get; private set; } = null!;

    public string this[string name] => _ids[name];

    public async ValueTask InitializeAsync()
    {
        Cloud = await TestCloud.Start();
        await Make("admin", "image", "", "/image/v2/images", """{"name":"tiny","disk_format":"raw","container_format":"bare","visibility":"public"}""");
        Good(await Cloud.Send("PUT", Fill("/image/v2/images/{admin.image}/file"), new string('x', 1024), headers: ("Content-Type", "application/octet-stream")));
        _ids["admin.project"] = (await Cloud.Send("GET", "/identity/v3/auth/projects")).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
        await Make("admin", "ext", "network", "/network/v2.0/networks", """{"network":{"name":"ext","router:external":true}}""");
        await Make("admin", "extsub", "subnet", "/network/v2.0/subnets", """{"subnet":{"network_id":"{admin.ext}","ip_version":4,"cidr":"198.51.100.0/24","enable_dhcp":false}}""");
        foreach (var user in (string[])["ann", "eve"])
        {
            await Cloud.AddUser(user);
            _ids[user + ".project"] = (await Cloud.Send("GET", "/identity/v3/auth/projects", user: user)).Body.GetProperty("projects")[0].GetProperty("id").GetString()!;
            await Furnish(user);
        }
    }

    // {own.x} is what the user at hand has.
    private async Task Furnish(string user)
    {
        await Make(user, "net", "network", "/network/v2.0/networks", """{"network":{"name":"net"}}""");
        await Make(user, "subnet", "subnet", "/network/v2.0/subnets", """{"subnet":{"network_id":"{own.net}","ip_version":4,"cidr":"10.1.0.0/24"}}""");
        await Make(user, "router", "router", "/network/v2.0/routers", """{"router":{"name":"r","external_gateway_info":{"network_id":"{admin.ext}"}}}""");
        await Do(user, "PUT", """/network/v2.0/routers/{own.router}/add_router_interface""", """{"subnet_id":"{own.subnet}"}""");
        await Make(user, "port", "port", "/network/v2.0/ports", """{"port":{"network_id":"{own.net}","name":"free"}}""");
        await Make(user, "group", "security_group", "/network/v2.0/security-groups", """{"security_group":{"name":"web"}}""");
        await Make(user, "rule", "security_group_rule", "/network/v2.0/security-group-rules", """{"security_group_rule":{"security_group_id":"{own.group}","direction":"ingress","protocol":"tcp","port_range_min":80,"port_range_max":80}}""");
        await Make(user, "fip", "floatingip", "/network/v2.0/floatingips", """{"floatingip":{"floating_network_id":"{admin.ext}"}}""");
        await Make(user, "volume", "volume", """/volume/v3/{own.project}/volumes""", """{"volume":{"size":1,"metadata":{"k":"v"}}}""");
        await Make(user, "snapshot", "snapshot", """/volume/v3/{own.project}/snapshots""", """{"snapshot":{"volume_id":"{own.volume}"}}""");
        await Do(user, "POST", "/compute/v2.1/os-keypairs", JsonSerializer.Serialize(new { keypair = new { name = user, public_key = PublicKey } }));
        await Make(user, "server", "server", "/compute/v2.1/servers", """{"server":{"name":"s","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{own.net}"}],"metadata":{"k":"v"}}}""");
        await Make(user, "attached", "volume", """/volume/v3/{own.project}/volumes""", """{"volume":{"size":1}}""");
        await Do(user, "POST", """/compute/v2.1/servers/{own.server}/os-volume_attachments""", """{"volumeAttachment":{"volumeId":"{own.attached}"}}""");
        _ids[user + ".nic"] = (await Cloud.Send("GET", Fill($"/network/v2.0/ports?device_id={{{user}.server}}"), user: user)).Body.GetProperty("ports")[0].GetProperty("id").GetString()!;
    }

    /// <summary>Replaces the names of things by their ids.</summary>
    public string Fill(string text) => Name().Replace(text, m => _ids.TryGetValue(m.Groups[1].Value, out var own) ? own : _ids.TryGetValue("ann." + m.Groups[1].Value, out var ann) ? ann : m.Value);

    public Task<Answer> Send(string method, string target, string? body = null, string user = "ann", params (string, string)[] headers) => Cloud.Send(method, Fill(target), body is null ? null : Fill(body), user, headers);

    /// <summary>Sends what must work, and lets everything come to its end.</summary>
    public async Task<Answer> Do(string user, string method, string target, string? body = null, params (string, string)[] headers)
    {
        string? Own(string? text) => text?.Replace("{own.", $"{{{user}.", StringComparison.Ordinal);
        var answer = Good(await Send(method, Own(target)!, Own(body), user, headers));
        await Cloud.Drain();
        return answer;
    }

    public async Task Make(string user, string name, string one, string target, string body) =>
        _ids[$"{user}.{name}"] = await Do(user, "POST", target, body) is var made && one.Length > 0 ? made.Id(one) : made.Body.GetProperty("id").GetString()!;

    /// <summary>The request is refused with this status in the service's own format, and nothing is left of it.</summary>
    public async Task Refused(int status, string method, string target, string? body, string user = "ann", params (string, string)[] headers)
    {
        var before = await Everything();
        var answer = await Send(method, target, body, user, headers);
        Assert.True(status == answer.Status, $"{method} {target} {(body?.Length > 300 ? body[..300] : body)}: {status} expected, {answer.Status} {answer.Text}");
        Assert.True(Formed(target, answer), $"not the service's own format: {answer.Text}");
        Assert.Equal(before, await Everything());
        Assert.Empty(Cloud.Errors);
    }

    /// <summary>All rows and what waits in queues.</summary>
    public async Task<string> Everything()
    {
        var text = new StringBuilder();
        foreach (var row in Cloud.Store.All) text.Append(row.Partition).Append(' ').Append(row.Key).Append(' ').AppendLine(Encoding.UTF8.GetString(row.Body.Span));
        foreach (var (queue, depth) in (await Cloud.Bus.Depths()).Where(d => d.Value > 0).OrderBy(d => d.Key, StringComparer.Ordinal)) text.Append(queue).Append(' ').Append(depth).AppendLine();
        // How often a limit was asked is no trace of anything.
        return Uses().Replace(text.ToString(), "");
    }

    private static bool Formed(string target, Answer a) => target.StartsWith("/network", StringComparison.Ordinal)
        ? a.Body.GetProperty("NeutronError") is var n && n.GetProperty("type").GetString()!.Length > 0 && n.GetProperty("message").GetString()!.Length > 0 && n.TryGetProperty("detail", out _)
        : a.Body.EnumerateObject().Single().Value is var f && f.GetProperty("code").GetInt32() == a.Status && f.GetProperty("message").GetString()!.Length > 0;

    private static Answer Good(Answer a) => a.Status < 300 ? a : throw new InvalidOperationException($"{a.Status} {a.Text}");

    public ValueTask DisposeAsync() => Cloud.DisposeAsync();

    [GeneratedRegex(@"\{([a-z.]+)\}")]
    private static partial Regex Name();

    [GeneratedRegex("\"Uses\":[0-9]+")]
    private static partial Regex Uses();
}
