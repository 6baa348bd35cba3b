using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <summary>How to set every saga of the cloud going. A saga that isn't here fails a test that names it.</summary>
public static class Scenarios
{
    private const string Server = "/compute/v2.1/servers", Network = "/network/v2.0";

    private static Scenario Of(string saga, string what, Func<Stage, Task> setup, Func<Stage, Task<Answer>> act, Func<Stage, Task<bool>> done) => new(saga, what, setup, act, done);

    private static async Task Basics(Stage s)
    {
        await s.Net();
        await s.Image();
    }

    private static async Task WithServer(Stage s)
    {
        await Basics(s);
        await s.Server();
    }

    private static Func<Stage, Task<bool>> Is(string kind, string name, string status) => async s => await s.StatusOf(kind, name) == status;

    private static async Task<Answer> Remember(Stage s, string name, string one, Task<Answer> request)
    {
        var answer = await request;
        if (answer.Status < 300) s.Ids[name] = answer.Id(one);
        return answer;
    }

    public static readonly IReadOnlyList<Scenario> All =
    [
        Of("server-create-1", "", async s => { await Basics(s); await s.Port("given"); await s.Volume(); },
            s => Remember(s, "server", "server", s.Send("POST", Server, s.ServerBody(new object[] { new { uuid = s["net"] }, new { port = s["given"] } },
                [new { source_type = "volume", destination_type = "volume", uuid = s["volume"], boot_index = -1 }]))),
            Is("server", "server", "ACTIVE")) with { Delete = s => s.Send("DELETE", $"{Server}/{s["server"]}") },
        Of("server-delete-1", "", async s =>
            {
                await Basics(s);
                await s.Outside();
                await s.Port("given");
                await s.Server(networks: new object[] { new { uuid = s["net"] }, new { port = s["given"] } });
                await s.Bind();
                await s.Volume();
                Stage.Good(await Attach(s));
                await s.Cloud.Drain();
            },
            s => s.Send("DELETE", $"{Server}/{s["server"]}"),
            async s => await s.StatusOf("server", "server") == "gone" && await s.StatusOf("volume", "volume") == "available"),
        Of("server-sync-1", "stop", WithServer, s => s.Send("POST", $"{Server}/{s["server"]}/action", "{\"os-stop\":null}"), Is("server", "server", "SHUTOFF")),
        Of("server-sync-1", "attach a volume", async s => { await WithServer(s); await s.Volume(); }, Attach,
            async s => await s.StatusOf("volume", "volume") == "in-use" && await s.StatusOf("server", "server") == "ACTIVE"),
        Of("server-sync-1", "detach a volume", async s => { await WithServer(s); await s.Volume(); Stage.Good(await Attach(s)); await s.Cloud.Drain(); },
            s => s.Send("DELETE", $"{Server}/{s["server"]}/os-volume_attachments/{s["volume"]}"), Is("volume", "volume", "available")),
        Of("server-sync-1", "add an interface", async s => { await WithServer(s); },
            s => s.Send("POST", $"{Server}/{s["server"]}/os-interface", new { interfaceAttachment = new { net_id = s["net"] } }),
            async s => (await s.Show($"{Network}/ports?device_id={s["server"]}", "ports")).GetArrayLength() == 2),
        Of("server-sync-1", "remove an interface", async s => { await Basics(s); await s.Port("given"); await s.Server(networks: new object[] { new { uuid = s["net"] }, new { port = s["given"] } }); },
            s => s.Send("DELETE", $"{Server}/{s["server"]}/os-interface/{s["given"]}"),
            async s => (await s.Show($"{Network}/ports?device_id={s["server"]}", "ports")).GetArrayLength() == 1 && await s.StatusOf("port", "given") == "DOWN"),
        Of("server-reboot-1", "soft", WithServer, s => s.Send("POST", $"{Server}/{s["server"]}/action", new { reboot = new { type = "SOFT" } }), Is("server", "server", "ACTIVE")),
        Of("server-reboot-1", "a stopped one", async s => { await WithServer(s); await s.Send("POST", $"{Server}/{s["server"]}/action", "{\"os-stop\":null}"); await s.Cloud.Drain(); },
            s => s.Send("POST", $"{Server}/{s["server"]}/action", new { reboot = new { type = "HARD" } }), Is("server", "server", "ACTIVE")),

        Of("volume-create-1", "blank", _ => Task.CompletedTask, s => Remember(s, "volume", "volume", s.Send("POST", s.Volumes, new { volume = new { size = 1 } })), Is("volume", "volume", "available")),
        Of("volume-create-1", "of a snapshot", async s => { await Disk(s); await Snap(s); },
            s => Remember(s, "copy", "volume", s.Send("POST", s.Volumes, new { volume = new { snapshot_id = s["snapshot"] } })), Is("volume", "copy", "available")),
        Of("volume-extend-1", "", Disk, s => s.Send("POST", $"{s.Volumes}/{s["volume"]}/action", new Dictionary<string, object> { ["os-extend"] = new { new_size = 3 } }),
            async s => await s.StatusOf("volume", "volume") == "available" && (await s.Show($"{s.Volumes}/{s["volume"]}", "volume")).GetProperty("size").GetInt32() == 3),
        Of("volume-delete-1", "", Disk, s => s.Send("DELETE", $"{s.Volumes}/{s["volume"]}"), Is("volume", "volume", "gone")),
        Of("snapshot-create-1", "", Disk, s => Remember(s, "snapshot", "snapshot", s.Send("POST", s.Snapshots, new { snapshot = new { volume_id = s["volume"] } })), Is("snapshot", "snapshot", "available")),
        Of("snapshot-delete-1", "", async s => { await Disk(s); await Snap(s); }, s => s.Send("DELETE", $"{s.Snapshots}/{s["snapshot"]}"), Is("snapshot", "snapshot", "gone")),

        Of("image-cache-1", "", s => s.Image(), s => s.Send("PUT", $"/image/v2/cache/{s["image"]}"), async s => (await s.Show("/image/v2/cache", "cached_images")).GetArrayLength() == 1) with { Delete = s => s.Send("DELETE", $"/image/v2/cache/{s["image"]}") },
        Of("image-uncache-1", "", async s => { await s.Image(); Stage.Good(await s.Send("PUT", $"/image/v2/cache/{s["image"]}")); await s.Cloud.Drain(); },
            s => s.Send("DELETE", $"/image/v2/cache/{s["image"]}"), async s => (await s.Show("/image/v2/cache", "cached_images")).GetArrayLength() == 0),

        Of("network-sync-1", "", WithServer, s => s.Send("POST", $"{Network}/subnets", new { subnet = new { network_id = s["net"], ip_version = 6, cidr = "fd00:1::/64" } }),
            async s => (await s.Show($"{Network}/networks/{s["net"]}", "network")).GetProperty("subnets").GetArrayLength() == 2),
        Of("port-sync-1", "", WithServer, async s => await s.Send("PUT", $"{Network}/ports/{await s.PortOf("server")}", new { port = new { admin_state_up = false, fixed_ips = new[] { new { ip_address = "10.1.0.77" } } } }),
            async s => (await s.Show($"{Network}/ports/{await s.PortOf("server")}", "port")) is var p && p.GetProperty("status").GetString() == "DOWN" && p.GetProperty("fixed_ips")[0].GetProperty("ip_address").GetString() == "10.1.0.77"),
        Of("port-delete-1", "", async s => { await s.Net(); await s.Make("port", $"{Network}/ports", "port", new { port = new Dictionary<string, object> { ["network_id"] = s["net"], ["binding:host_id"] = "sim-1" } }); await s.Port("mate"); },
            s => s.Send("DELETE", $"{Network}/ports/{s["port"]}"), Is("port", "port", "gone")),
        Of("router-sync-1", "bind a floating IP", async s => { await WithServer(s); await s.Outside(); }, s => s.BindRequest(), Is("floatingip", "fip", "ACTIVE")),
        Of("floatingip-delete-1", "", async s => { await WithServer(s); await s.Outside(); await s.Bind(); }, s => s.Send("DELETE", $"{Network}/floatingips/{s["fip"]}"), Is("floatingip", "fip", "gone")),
        Of("router-sync-1", "add an interface", async s => { await s.Net(); await s.Make("router", $"{Network}/routers", "router", new { router = new { name = "r" } }); },
            s => s.Send("PUT", $"{Network}/routers/{s["router"]}/add_router_interface", new { subnet_id = s["subnet"] }), Is("router", "router", "ACTIVE")),
        Of("router-sync-1", "remove an interface", async s => { await s.Net(); await s.Outside(); },
            s => s.Send("PUT", $"{Network}/routers/{s["router"]}/remove_router_interface", new { subnet_id = s["subnet"] }),
            async s => (await s.Show($"{Network}/ports?device_id={s["router"]}&device_owner=network:router_interface", "ports")).GetArrayLength() == 0),
        Of("router-delete-1", "", async s =>
            {
                await s.Net();
                await s.Outside();
                Stage.Good(await s.Send("PUT", $"{Network}/routers/{s["router"]}/remove_router_interface", new { subnet_id = s["subnet"] }));
                await s.Cloud.Drain();
            },
            s => s.Send("DELETE", $"{Network}/routers/{s["router"]}"), Is("router", "router", "gone")),
        Of("security-group-sync-1", "", async s => { await WithServer(s); s.Ids["group"] = (await s.Show($"{Network}/security-groups?name=default", "security_groups"))[0].GetProperty("id").GetString()!; },
            s => s.Send("POST", $"{Network}/security-group-rules", new { security_group_rule = new { security_group_id = s["group"], direction = "ingress", protocol = "tcp", port_range_min = 80, port_range_max = 80 } }),
            async s => (await s.Show($"{Network}/security-groups/{s["group"]}", "security_group")).GetProperty("security_group_rules").GetArrayLength() == 5),
        Of("membership-sync-1", "", WithServer, s => Remember(s, "mate", "port", s.Send("POST", $"{Network}/ports", new { port = new { network_id = s["net"] } })), Is("port", "mate", "DOWN")),
    ];

    private static Task<Answer> Attach(Stage s) => s.Send("POST", $"{Server}/{s["server"]}/os-volume_attachments", new { volumeAttachment = new { volumeId = s["volume"] } });

    /// <summary>A volume that has been on a server, so that it has bytes on a host.</summary>
    private static async Task Disk(Stage s)
    {
        await WithServer(s);
        await s.Volume();
        Stage.Good(await Attach(s));
        await s.Cloud.Drain();
        Stage.Good(await s.Send("DELETE", $"{Server}/{s["server"]}/os-volume_attachments/{s["volume"]}"));
        await s.Cloud.Drain();
        Stage.Good(await s.Send("DELETE", $"{Server}/{s["server"]}"));
        await s.Cloud.Drain();
    }

    private static Task Snap(Stage s) => s.Make("snapshot", s.Snapshots, "snapshot", new { snapshot = new { volume_id = s["volume"] } });
}
