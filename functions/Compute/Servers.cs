using System.Net.Sockets;
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
            if (d.Item.Locked && !c.Allows("compute:override_lock", default)) throw Fault.Conflict($"Instance {d.Item.Id} is locked");
            d.Item = d.Item with { Task = "deleting" };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "delete"));
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
        new("GET", "/v2.1/servers/{id}/ips", "compute:get", async c => { var nics = await Nics(c, (await Kind.Load(c, "compute:get")).Item); return Reply.Object(200, w => ServerView.Addresses(w, nics)); }),
        new("GET", "/v2.1/servers/{id}/ips/{network}", "compute:get", async c =>
        {
            var nics = (await Nics(c, (await Kind.Load(c, "compute:get")).Item)).Where(n => n.Nic.NetworkName == c.Args["network"]).ToList();
            return nics.Count > 0 ? Reply.Object(200, w => ServerView.OfNetwork(w, c.Args["network"], nics, plain: true)) : throw new Fault(404, "Network not found");
        }),
    ];

    private static async ValueTask<Reply> List(Call c, bool detail)
    {
        var (items, page) = await Kind.Select(c, "compute:get_all", await ServerFilters.Of(c));
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

    private static async ValueTask<Reply> Show(Call c, Server s, bool updated = false)
    {
        var nics = await Nics(c, s);
        return Reply.Object(200, w =>
        {
            w.WritePropertyName("server");
            ServerView.Write(w, c, s, nics, detail: true, show: true, brief: updated && !c.From(75));
        });
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var read = BodyReader.Only(c, "server");
        var name = read.Name("name");
        var description = c.From(19) ? read.Printable("description", 255) : null;
        var describes = c.From(19) && read.Has("description");
        var hostname = c.From(90) ? read.Text("hostname", 63) : null;
        var (v4, v6, disk) = (read.Address("accessIPv4", AddressFamily.InterNetwork), read.Address("accessIPv6", AddressFamily.InterNetworkV6), ServerBody.DiskConfig(read));
        read.NothingElse();
        var server = await Kind.Change(c, "compute:update", d => d.Item = d.Item with
        {
            Name = name ?? d.Item.Name,
            Description = describes ? description : d.Item.Description,
            Hostname = hostname is null ? d.Item.Hostname : ServerBody.CheckedHostname(hostname),
            AccessIPv4 = v4 ?? d.Item.AccessIPv4,
            AccessIPv6 = v6 ?? d.Item.AccessIPv6,
            DiskConfig = disk ?? d.Item.DiskConfig,
        });
        return await Show(c, server, updated: true);
    }
}
