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
        Power("os-start", "start", ["SHUTOFF"], PowerState.Running, "powering-on"), Power("os-stop", "stop", ["ACTIVE", "ERROR"], PowerState.Off, "powering-off"),
        Power("pause", "pause", ["ACTIVE"], PowerState.Paused, "pausing"), Power("unpause", "unpause", ["PAUSED"], PowerState.Running, "unpausing"),
        new("POST", Path, "compute:reboot", Reboot) { Action = "reboot" },
        new("POST", Path, "compute:console", Console) { Action = "os-getConsoleOutput" },
        new("POST", Path, "compute:lock", Lock) { Action = "lock" }, new("POST", Path, "compute:lock", Unlock) { Action = "unlock" },
        new("POST", Path, "admin", async c =>
        {
            var read = new BodyReader(c.Body("os-resetState"));
            var state = read.Required("state", 10);
            read.NothingElse();
            if (state is not ("active" or "error")) throw Fault.BadRequest($"Invalid input for field/attribute state. Value: {state}. It must be active or error.");
            await Servers.Kind.Change(c, "admin", d => d.Item = d.Item with { Status = state == "error" ? "ERROR" : ServerSagas.StatusOf(d.Item), Task = null });
            return Reply.Empty(202);
        }) { Action = "os-resetState" },
        .. ServerGroups.Routes,
        .. new[] { "suspend", "resume", "rebuild", "resize", "confirmResize", "revertResize", "rescue", "unrescue", "shelve", "shelveOffload", "unshelve", "createImage", "createBackup", "changePassword", "migrate", "os-migrateLive", "evacuate",
            "forceDelete", "restore", "trigger_crash_dump", "addFloatingIp", "removeFloatingIp", "addFixedIp", "removeFixedIp", "os-getVNCConsole", "os-getSPICEConsole", "os-getSerialConsole", "os-getRDPConsole", "injectNetworkInfo", "resetNetwork" }
            .Select(a => Unoffered.OfServer("POST", "/action", $"The action {a} is not offered by this cloud.", a)),
    ];

    private static Route Power(string action, string what, string[] from, PowerState to, string task) => new("POST", Path, "compute:power", async c =>
    {
        Nothing(c, action);
        await Servers.Kind.Change(c, "compute:power", d =>
        {
            Ready(c, d.Item, what, from);
            d.Item = d.Item with { Power = to, Task = task };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, what));
        }, ServerSagas.Sync);
        return Reply.Empty(202);
    })
    { Action = action };

    private static async ValueTask<Reply> Reboot(Call c)
    {
        var read = new BodyReader(c.Body("reboot"));
        var type = read.Required("type", 10).ToUpperInvariant();
        read.NothingElse();
        if (type is not ("SOFT" or "HARD")) throw Fault.BadRequest("Invalid input for field/attribute type. It must be SOFT or HARD.");
        await Servers.Kind.Change(c, "compute:reboot", d =>
        {
            // A hard one helps where a soft one is under way and gets no answer from the guest.
            if (type == "HARD" && d.Item is { Doomed: false, Task: "rebooting" }) Unlocked(c, d.Item);
            else if (d.Item.Saga is not null) throw Fault.Conflict($"Cannot 'reboot' instance {d.Item.Id} while it is being changed");
            else Ready(c, d.Item, "reboot", type == "SOFT" ? ["ACTIVE"] : ["ACTIVE", "SHUTOFF", "PAUSED", "ERROR"]);
            d.Item = d.Item with { SoftReboot = type == "SOFT", Status = type == "SOFT" ? "REBOOT" : "HARD_REBOOT", Task = d.Item.Power == PowerState.Running ? type == "SOFT" ? "rebooting" : "rebooting_hard" : "powering-on", Power = PowerState.Running };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "reboot"));
        }, ServerSagas.Reboot);
        return Reply.Empty(202);
    }

    private static async ValueTask<Reply> Console(Call c)
    {
        var read = new BodyReader(c.Body("os-getConsoleOutput"));
        var lines = read.Number("length", -1, int.MaxValue);
        read.NothingElse();
        var server = (await Servers.Kind.Load(c, "compute:console")).Item;
        if (server.LaunchedAt is null || server.Doomed) throw Fault.Conflict($"Instance {server.Id} is not ready");
        var answer = await Dispatch.Ask(c.Services, server.Host, new ReadConsole(server.Id, lines is -1 ? null : lines), TimeSpan.FromSeconds(10), c.Cancelled);
        return Reply.Object(200, w => w.WriteString("output", answer?.Text ?? ""));
    }

    private static async ValueTask<Reply> Lock(Call c)
    {
        string? reason = null;
        if (c.Json.GetProperty("lock") is { ValueKind: JsonValueKind.Object } body && c.From(73))
        {
            var read = new BodyReader(body);
            reason = read.Printable("locked_reason", 255);
            read.NothingElse();
        }
        await Servers.Kind.Change(c, "compute:lock", d =>
        {
            Remains(d.Item);
            d.Item = d.Item with { Locked = true, LockedReason = reason, LockedByAdmin = c.Allows("compute:override_lock", default) && c.User?.ProjectId != d.Item.ProjectId };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "lock", ended: true));
        });
        return Reply.Empty(202);
    }

    private static async ValueTask<Reply> Unlock(Call c)
    {
        await Servers.Kind.Change(c, "compute:lock", d =>
        {
            Remains(d.Item);
            if (d.Item is { Locked: true, LockedByAdmin: true }) c.Require("compute:override_lock", default);
            d.Item = d.Item with { Locked = false, LockedReason = null, LockedByAdmin = false };
            d.Ops.Add(ServerHistory.Began(c, d.Item.Id, "unlock", ended: true));
        });
        return Reply.Empty(202);
    }

    private static void Remains(Server s)
    {
        if (s.Doomed) throw Fault.Conflict($"Instance {s.Id} is being deleted");
    }

    // Clients write null or {} for an action that takes nothing.
    private static void Nothing(Call c, string action)
    {
        if (c.Json.GetProperty(action) is not ({ ValueKind: JsonValueKind.Null or JsonValueKind.String } or { ValueKind: JsonValueKind.Object })) throw Fault.BadRequest($"Invalid input for field/attribute {action}.");
    }

    /// <exception cref="Fault">409 when it is locked, and not to an administrator.</exception>
    public static void Unlocked(Call c, Server s)
    {
        if (s.Locked && !c.Allows("compute:override_lock", default)) throw Fault.Conflict($"Instance {s.Id} is locked");
    }

    /// <exception cref="Fault">409 when it is locked, busy, or in another state.</exception>
    public static void Ready(Call c, Server s, string action, string[] from)
    {
        Unlocked(c, s);
        if (s.Doomed || s.Task is not null) throw Fault.Conflict($"Cannot '{action}' instance {s.Id} while it is in task_state {s.Task ?? "deleting"}");
        // One that never ran has nothing on a host.
        if (!from.Contains(s.Status) || s.LaunchedAt is null || s.Host.Length == 0) throw Fault.Conflict($"Cannot '{action}' instance {s.Id} while it is in vm_state {ServerView.VmState(s)}");
    }
}
