using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action</summary>
public static class ServerActions
{
    private const string Path = "/v2.1/servers/{id}/action";

    public static readonly Route[] Routes =
    [
        Power("os-start", ["SHUTOFF"], PowerState.Running, "powering-on"), Power("os-stop", ["ACTIVE", "ERROR"], PowerState.Off, "powering-off"),
        Power("pause", ["ACTIVE"], PowerState.Paused, "pausing"), Power("unpause", ["PAUSED"], PowerState.Running, "unpausing"),
        new("POST", Path, "compute:reboot", Reboot) { Action = "reboot" },
        new("POST", Path, "compute:console", Console) { Action = "os-getConsoleOutput" },
        new("POST", Path, "compute:lock", c => Lock(c, true)) { Action = "lock" }, new("POST", Path, "compute:lock", c => Lock(c, false)) { Action = "unlock" },
        new("POST", Path, "admin", async c =>
        {
            var state = new BodyReader(c.Body("os-resetState")).Required("state", 10);
            if (state is not ("active" or "error")) throw Fault.BadRequest($"Invalid input for field/attribute state. Value: {state}.");
            await Servers.Kind.Change(c, "admin", d => d.Item = d.Item with { Status = state == "error" ? "ERROR" : ServerSagas.StatusOf(d.Item), Task = null });
            return Reply.Empty(202);
        }) { Action = "os-resetState" },
        new("POST", Path, "compute:update", async c =>
        {
            var volume = new BodyReader(c.Body("addFloatingIp")).Required("address", 45);
            throw new Fault(404, $"Floating IP {volume} is managed through the network service.");
        }) { Action = "addFloatingIp" },
        .. new[] { "suspend", "resume", "rebuild", "resize", "confirmResize", "revertResize", "rescue", "unrescue", "shelve", "shelveOffload", "unshelve", "createImage", "createBackup", "changePassword", "migrate", "os-migrateLive", "evacuate",
            "forceDelete", "restore", "trigger_crash_dump", "addSecurityGroup", "removeSecurityGroup", "removeFloatingIp", "addFixedIp", "removeFixedIp", "os-getVNCConsole", "os-getSPICEConsole", "os-getSerialConsole", "injectNetworkInfo", "resetNetwork" }
            .Select(a => Route.Missing("POST", Path, "compute:update", $"The action {a} is not offered by this cloud.", a)),
    ];

    private static Route Power(string action, string[] from, PowerState to, string task) => new("POST", Path, "compute:power", async c =>
    {
        await Servers.Kind.Change(c, "compute:power", d =>
        {
            Ready(c, d.Item, action, from);
            d.Item = d.Item with { Power = to, Task = task };
        }, ServerSagas.Sync);
        return Reply.Empty(202);
    }) { Action = action };

    private static async ValueTask<Reply> Reboot(Call c)
    {
        var type = new BodyReader(c.Body("reboot")).Required("type", 10).ToUpperInvariant();
        if (type is not ("SOFT" or "HARD")) throw Fault.BadRequest("Invalid input for field/attribute type. It must be SOFT or HARD.");
        await Servers.Kind.Change(c, "compute:reboot", d =>
        {
            if (d.Item.Saga is not null) throw Fault.Conflict($"Cannot 'reboot' instance {d.Item.Id} while it is being changed");
            Ready(c, d.Item, "reboot", type == "SOFT" ? ["ACTIVE"] : ["ACTIVE", "SHUTOFF", "PAUSED", "ERROR"]);
            d.Item = d.Item with { SoftReboot = type == "SOFT", Status = type == "SOFT" ? "REBOOT" : "HARD_REBOOT", Task = d.Item.Power == PowerState.Running ? type == "SOFT" ? "rebooting" : "rebooting_hard" : "powering-on", Power = PowerState.Running };
        }, ServerSagas.Reboot);
        return Reply.Empty(202);
    }

    private static async ValueTask<Reply> Console(Call c)
    {
        var read = new BodyReader(c.Body("os-getConsoleOutput"));
        var lines = read.Number("length", -1, int.MaxValue);
        read.NothingElse();
        var server = (await Servers.Kind.Load(c, "compute:console")).Item;
        if (server.Host.Length == 0) throw Fault.Conflict($"Instance {server.Id} is not ready");
        var answer = await Dispatch.Ask(c.Services, server.Host, new ReadConsole(server.Id, lines is -1 ? null : lines), TimeSpan.FromSeconds(10), c.Cancelled);
        return Reply.Of(200, w => { w.WriteStartObject(); w.WriteString("output", answer?.Text ?? ""); w.WriteEndObject(); });
    }

    private static async ValueTask<Reply> Lock(Call c, bool locked)
    {
        var reason = locked && c.Json.GetProperty("lock") is { ValueKind: JsonValueKind.Object } body && c.From(73) ? new BodyReader(body).Text("locked_reason", 255) : null;
        await Servers.Kind.Change(c, "compute:lock", d => d.Item = d.Item with { Locked = locked, LockedReason = reason });
        return Reply.Empty(202);
    }

    /// <exception cref="Fault">409 when it is locked, busy, or in another state.</exception>
    public static void Ready(Call c, Server s, string action, string[] from)
    {
        if (s.Locked && !c.Caller.Has("admin")) throw Fault.Conflict($"Instance {s.Id} is locked");
        if (s.Doomed || s.Task is not null) throw Fault.Conflict($"Cannot '{action}' instance {s.Id} while it is in task_state {s.Task ?? "deleting"}");
        if (s.Host.Length == 0 || !from.Contains(s.Status)) throw Fault.Conflict($"Cannot '{action}' instance {s.Id} while it is in vm_state {ServerView.VmState(s)}");
    }
}
