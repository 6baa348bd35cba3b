using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>https://docs.openstack.org/api-ref/compute/#servers-servers</summary>
public static class Servers
{
    public static readonly Rows<Server> Rows = new("server", "compute") { NewestFirst = true };

    public static readonly Quota Quota = new("compute", new Dictionary<string, long>
    {
        ["instances"] = 10, ["cores"] = 20, ["ram"] = 51200, ["key_pairs"] = 100, ["metadata_items"] = 128, ["server_groups"] = 10, ["server_group_members"] = 10,
        ["injected_files"] = 5, ["injected_file_content_bytes"] = 10240, ["injected_file_path_bytes"] = 255,
    });

    public static readonly Kind<Server> Kind = new(Rows, "servers", "/v2.1/servers", ComputeDialect.Value)
    {
        Sees = "compute:get", ListsAll = "admin",
        Charges = (Quota, Quota.Counts(Rows, s => [new("instances", 1), new("cores", s.Flavor.Vcpus), new("ram", s.Flavor.Ram)]), ComputeDialect.Over),
        CheckDelete = (c, d) =>
        {
            if (d.Item.Locked && !c.Caller.Has("admin")) throw Fault.Conflict($"Instance {d.Item.Id} is locked");
            d.Item = d.Item with { Task = "deleting" };
            return ValueTask.CompletedTask;
        },
    };

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.1/servers", "compute:get_all", c => List(c, false)), new("GET", "/v2.1/servers/detail", "compute:get_all", c => List(c, true)),
        new("POST", "/v2.1/servers", "compute:create", ServerCreate.Run),
        new("GET", "/v2.1/servers/{id}", "compute:get", async c => await Show(c, (await Kind.Load(c, "compute:get")).Item)),
        new("PUT", "/v2.1/servers/{id}", "compute:update", Update),
        Kind.Delete("compute:delete", ServerSagas.Removal),
        new("GET", "/v2.1/servers/{id}/ips", "compute:get", async c => { var nics = await Nics(c, (await Kind.Load(c, "compute:get")).Item); return Reply.Of(200, w => { w.WriteStartObject(); ServerView.Addresses(w, nics); w.WriteEndObject(); }); }),
        new("GET", "/v2.1/servers/{id}/diagnostics", "admin", async c => { var s = (await Kind.Load(c, "compute:get")).Item; return Reply.Of(200, w => { w.WriteStartObject(); w.WriteString("state", s.Status == "ACTIVE" ? "running" : "shutdown"); w.WriteString("hypervisor", "kvm"); w.WriteEndObject(); }); }),
        new("GET", "/v2.1/servers/{id}/os-security-groups", "compute:get", async c =>
        {
            var s = (await Kind.Load(c, "compute:get")).Item;
            var groups = (await Nics(c, s)).SelectMany(n => n.Groups).Distinct();
            return Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartArray("security_groups"); foreach (var g in groups) { w.WriteStartObject(); w.WriteString("name", g); w.WriteString("id", g); w.WriteStartArray("rules"); w.WriteEndArray(); w.WriteString("tenant_id", s.ProjectId); w.WriteString("description", ""); w.WriteEndObject(); } w.WriteEndArray(); w.WriteEndObject(); });
        }),
    ];

    private static async ValueTask<Reply> List(Call c, bool detail)
    {
        if (c.First("deleted") is "True" or "true" or "1") c.Require("compute:get_all:deleted", default);
        var (items, page) = await Kind.Select(c, "compute:get_all", HasFilter(c) ? Wanted : null);
        var nics = new Dictionary<string, (Network.Facade.Nic, string[], string[])>();
        if (detail)
            foreach (var project in items.GroupBy(s => s.ProjectId))
                foreach (var (port, nic) in await Network.Facade.NicsOf(c.Services, project.Key, project.SelectMany(Ports))) nics[port] = nic;
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray("servers");
            foreach (var s in items) ServerView.Write(w, c, s, Of(nics, s), detail);
            w.WriteEndArray();
            ComputeDialect.Value.Links(w, c, page);
            w.WriteEndObject();
        });
    }

    private static IEnumerable<string> Ports(Server s) => s.Nics.Select(n => n.PortId);

    private static IReadOnlyList<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)> Of(IReadOnlyDictionary<string, (Network.Facade.Nic Nic, string[] Floating, string[] Groups)> nics, Server s) =>
        [.. Ports(s).Where(nics.ContainsKey).Select(p => nics[p])];

    private static async ValueTask<IReadOnlyList<(Network.Facade.Nic Nic, string[] Floating, string[] Groups)>> Nics(Call c, Server s) => Of(await Network.Facade.NicsOf(c.Services, s.ProjectId, Ports(s)), s);

    private static readonly HashSet<string> Filters = ["name", "status", "image", "flavor", "host", "ip", "project_id", "tenant_id", "user_id", "key_name", "tags", "tags-any", "not-tags", "vm_state", "task_state", "power_state", "availability_zone", "changes-since", "locked", "reservation_id", "hostname", "node", "deleted"];

    private static bool HasFilter(Call c) => c.Query.Any(q => Filters.Contains(q.Key));

    private static bool Wanted(Call c, Server s)
    {
        foreach (var (key, value) in c.Query)
        {
            var ok = key switch
            {
                "name" => Matches(s.Name, value), "hostname" => s.Hostname == value,
                "status" => c.Query.Any(q => q.Key == "status" && q.Value.Equals(s.Status, StringComparison.OrdinalIgnoreCase)),
                "image" => s.ImageId == value, "flavor" => s.Flavor.Id == value || s.Flavor.Name == value, "host" or "node" => !c.Caller.Has("admin") || s.Host == value,
                "project_id" or "tenant_id" => !c.Caller.Has("admin") || s.ProjectId == value, "user_id" => s.UserId == value, "key_name" => s.KeyName == value, "reservation_id" => s.ReservationId == value,
                "tags" => value.Split(',').All(s.Tags.Contains), "tags-any" => value.Split(',').Any(s.Tags.Contains), "not-tags" => !value.Split(',').All(s.Tags.Contains),
                "vm_state" => ServerView.VmState(s) == value, "task_state" => s.Task == value, "availability_zone" => s.Zone == value, "locked" => s.Locked == value is "True" or "true",
                "changes-since" => DateTimeOffset.TryParse(value, null, System.Globalization.DateTimeStyles.AssumeUniversal, out var t) ? (s.UpdatedAt ?? s.CreatedAt) >= t : throw Fault.BadRequest("Invalid changes-since value"),
                "deleted" => value is "False" or "false" or "0",
                _ => true,
            };
            if (!ok) return false;
        }
        return true;
    }

    // Nova takes a regular expression here. One from outside must not be able to run for ever.
    private static bool Matches(string name, string pattern)
    {
        try { return System.Text.RegularExpressions.Regex.IsMatch(name, pattern, System.Text.RegularExpressions.RegexOptions.NonBacktracking); }
        catch (Exception e) when (e is ArgumentException or NotSupportedException) { return name.Contains(pattern, StringComparison.Ordinal); }
    }

    public static async ValueTask<Reply> Show(Call c, Server s)
    {
        var nics = await Nics(c, s);
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WritePropertyName("server");
            ServerView.Write(w, c, s, nics, detail: true, show: true);
            w.WriteEndObject();
        });
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var body = c.Body("server");
        var read = new BodyReader(body);
        var (name, description, hostname, v4, v6) = (read.Text("name", 255), read.Text("description", 255), read.Text("hostname", 63), read.Text("accessIPv4", 45), read.Text("accessIPv6", 45));
        read.Text("OS-DCF:diskConfig", 10);
        read.NothingElse();
        if (body.TryGetProperty("name", out _) && name is not { Length: > 0 }) throw Fault.BadRequest("Invalid input for field/attribute name.");
        var server = await Kind.Change(c, "compute:update", d => d.Item = d.Item with
        {
            Name = name?.Trim() ?? d.Item.Name, Description = body.TryGetProperty("description", out _) ? description : d.Item.Description, Hostname = hostname ?? d.Item.Hostname,
            AccessIPv4 = v4 ?? d.Item.AccessIPv4, AccessIPv6 = v6 ?? d.Item.AccessIPv6,
        });
        return await Show(c, server);
    }
}
