using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Compute;

/// <summary>Which state a server is in, and what may be done with it there.</summary>
public sealed class ServerStateTests : IAsyncLifetime
{
    private const string One = "/compute/v2.1/servers/{server}", Action = One + "/action";
    private readonly Scene _scene = new();

    public ValueTask InitializeAsync() => _scene.InitializeAsync();
    public ValueTask DisposeAsync() => _scene.DisposeAsync();

    private async Task<(string Status, string Vm, string? Task, int Power)> State()
    {
        var s = (await _scene.Send("GET", One)).Body.GetProperty("server");
        return (s.GetProperty("status").GetString()!, s.GetProperty("OS-EXT-STS:vm_state").GetString()!, s.GetProperty("OS-EXT-STS:task_state").GetString(), s.GetProperty("OS-EXT-STS:power_state").GetInt32());
    }

    private async Task<int> Ask(string body, string user = "ann") => (await _scene.Send("POST", Action, body, user)).Status;

    [Fact]
    public async Task Stop_start_pause_and_reboot_go_through_Novas_states()
    {
        Assert.Equal(("ACTIVE", "active", null, 1), await State());
        Assert.Equal(202, await Ask("""{"os-stop":null}"""));
        Assert.Equal(("ACTIVE", "active", "powering-off", 1), await State());
        await _scene.Cloud.Drain();
        Assert.Equal(("SHUTOFF", "stopped", null, 4), await State());
        Assert.Equal(409, await Ask("""{"os-stop":null}"""));
        Assert.Equal(409, await Ask("""{"pause":null}"""));
        Assert.Equal(409, await Ask("""{"reboot":{"type":"SOFT"}}"""));
        await _scene.Do("ann", "POST", Action, """{"os-start":null}""");
        Assert.Equal(("ACTIVE", "active", null, 1), await State());
        await _scene.Do("ann", "POST", Action, """{"pause":null}""");
        Assert.Equal(("PAUSED", "paused", null, 3), await State());
        Assert.Equal(409, await Ask("""{"os-start":null}"""));
        await _scene.Do("ann", "POST", Action, """{"unpause":null}""");
        Assert.Equal(202, await Ask("""{"reboot":{"type":"SOFT"}}"""));
        Assert.Equal(("REBOOT", "active", "rebooting", 1), await State());
        // A hard reboot helps where a soft one hangs; nothing else may come between.
        Assert.Equal(409, await Ask("""{"os-stop":null}"""));
        Assert.Equal(202, await Ask("""{"reboot":{"type":"HARD"}}"""));
        Assert.Equal(("HARD_REBOOT", "active", "rebooting_hard", 1), await State());
        await _scene.Cloud.Drain();
        Assert.Equal(("ACTIVE", "active", null, 1), await State());
        await _scene.Do("ann", "POST", Action, """{"os-stop":null}""");
        await _scene.Do("ann", "POST", Action, """{"reboot":{"type":"HARD"}}""");
        Assert.Equal(("ACTIVE", "active", null, 1), await State());
    }

    [Fact]
    public async Task A_locked_server_is_its_owners_to_unlock_and_an_administrators_to_change()
    {
        Assert.Equal(202, await Ask("""{"lock":null}"""));
        Assert.Equal(409, await Ask("""{"os-stop":null}"""));
        Assert.Equal(409, (await _scene.Send("DELETE", One)).Status);
        Assert.Equal(409, (await _scene.Send("POST", One + "/metadata", """{"metadata":{"a":"b"}}""")).Status);
        Assert.Equal(409, (await _scene.Send("POST", One + "/os-volume_attachments", """{"volumeAttachment":{"volumeId":"{volume}"}}""")).Status);
        Assert.Equal(202, await Ask("""{"os-stop":null}""", "admin"));
        await _scene.Cloud.Drain();
        Assert.Equal(202, await Ask("""{"unlock":null}"""));
        Assert.Equal(202, await Ask("""{"lock":{"locked_reason":"mine"}}""", "admin"));
        Assert.Equal(403, await Ask("""{"unlock":null}"""));
        Assert.Equal(202, await Ask("""{"unlock":null}""", "admin"));
        Assert.Equal(204, (await _scene.Send("DELETE", One)).Status);
    }

    [Fact]
    public async Task A_server_that_found_no_host_says_why_and_can_only_be_deleted()
    {
        await _scene.Do("admin", "PUT", "/compute/v2.1/os-services/disable", """{"host":"sim-1","binary":"nova-compute"}""");
        await _scene.Make("ann", "lost", "server", "/compute/v2.1/servers", """{"server":{"name":"lost","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}"}]}}""");
        var s = (await _scene.Send("GET", "/compute/v2.1/servers/{lost}")).Body.GetProperty("server");
        Assert.Equal(("ERROR", "error"), (s.GetProperty("status").GetString(), s.GetProperty("OS-EXT-STS:vm_state").GetString()));
        Assert.Equal(500, s.GetProperty("fault").GetProperty("code").GetInt32());
        Assert.StartsWith("No valid host was found", s.GetProperty("fault").GetProperty("message").GetString(), StringComparison.Ordinal);
        foreach (var action in (string[])["{\"os-start\":null}", "{\"os-stop\":null}", "{\"reboot\":{\"type\":\"HARD\"}}", "{\"os-getConsoleOutput\":{}}"])
            Assert.Equal(409, (await _scene.Send("POST", "/compute/v2.1/servers/{lost}/action", action)).Status);
        await _scene.Do("ann", "DELETE", "/compute/v2.1/servers/{lost}");
        Assert.Equal(404, (await _scene.Send("GET", "/compute/v2.1/servers/{lost}")).Status);
    }

    /// <summary>The saga's steps are there by name, in the order in which a server comes to be.</summary>
    [Fact]
    public void The_steps_of_a_new_server_have_names()
    {
        var steps = ((Platform.Sagas.ISaga)Cloud.Compute.ServerSagas.Creation).Steps;
        string[] named = ["auth", "image", "network", "volume", "boot"];
        Assert.Equal(named, steps.Where(named.Contains));
    }

    [Fact]
    public async Task Delete_while_it_builds_leaves_nothing()
    {
        var before = await Left();
        for (var turns = 0; turns < 40; turns++)
        {
            var answer = await _scene.Send("POST", "/compute/v2.1/servers", """{"server":{"name":"gone","flavorRef":"1","imageRef":"{admin.image}","networks":[{"uuid":"{net}"},{"port":"{port}"}],"block_device_mapping_v2":[{"source_type":"volume","destination_type":"volume","uuid":"{volume}","boot_index":-1}]}}""");
            Assert.Equal(202, answer.Status);
            for (var i = 0; i < turns; i++) await _scene.Cloud.Crank();
            Assert.Equal(204, (await _scene.Send("DELETE", "/compute/v2.1/servers/" + answer.Id("server"))).Status);
            await _scene.Cloud.Drain();
            Assert.Equal(404, (await _scene.Send("GET", "/compute/v2.1/servers/" + answer.Id("server"))).Status);
            Assert.Equal(before, await Left());
        }
        Assert.Empty(_scene.Cloud.Errors);
    }

    // What is there: keys of rows, statuses, and what the host holds. Revisions, histories, and what is measured or metered may grow.
    private async Task<string> Left()
    {
        var rows = _scene.Cloud.Store.All.Where(r => !r.Partition.StartsWith("events", StringComparison.Ordinal) && !r.Partition.StartsWith("met", StringComparison.Ordinal)).Select(r => $"{r.Partition} {r.Key}");
        // Once a server has had the volume there are bytes of it to keep.
        var held = _scene.Cloud.Hosts[0].Inventory().Items.Select(i => i.Key).Where(k => k != "disk/" + _scene["ann.volume"]).Order(StringComparer.Ordinal);
        string Of(JsonElement x, string name) => x.GetProperty(name).ToString();
        var (port, volume) = ((await _scene.Send("GET", "/network/v2.0/ports/{port}")).Body.GetProperty("port"), (await _scene.Send("GET", "/volume/v3/{project}/volumes/{volume}")).Body.GetProperty("volume"));
        return string.Join('\n', [.. rows, .. held, Of(port, "status"), Of(port, "device_id"), Of(port, "device_owner"), Of(volume, "status"), Of(volume, "attachments")]);
    }
}
