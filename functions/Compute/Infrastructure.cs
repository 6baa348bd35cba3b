using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Zones and services of hosts.</summary>
public static class Infrastructure
{
    private const string Path = "/v2.1/os-services";

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.1/os-availability-zone", "authenticated", c => Zones(c, false)), new("GET", "/v2.1/os-availability-zone/detail", "admin", c => Zones(c, true)),
        new("GET", Path, "admin", async c =>
        {
            var hosts = (await Hosts.All(c.Services)).Where(h => (c.First("host") ?? h.Name) == h.Name && (c.First("binary") ?? "nova-compute") == "nova-compute");
            return Reply.Object(200, w => w.Objects("services", hosts, h => Write(w, c, h)));
        }),
        new("PUT", Path + "/{service}", "admin", Update) { Since = "2.53" },
        Old("enable", read => h => h with { Disabled = false, DisabledReason = null }, (w, h) => w.WriteString("status", "enabled")),
        Old("disable", read => h => h with { Disabled = true, DisabledReason = null }, (w, h) => w.WriteString("status", "disabled")),
        Old("disable-log-reason", read =>
        {
            var reason = read.Name("disabled_reason") ?? throw Fault.BadRequest("Invalid input for field/attribute disabled_reason. 'disabled_reason' is a required property");
            return h => h with { Disabled = true, DisabledReason = reason };
        }, (w, h) => { w.WriteString("status", "disabled"); w.WriteString("disabled_reason", h.DisabledReason); }),
        Old("force-down", read =>
        {
            var down = read.Flag("forced_down") ?? throw Fault.BadRequest("Invalid input for field/attribute forced_down. 'forced_down' is a required property");
            return h => h with { ForcedDown = down };
        }, (w, h) => w.WriteBoolean("forced_down", h.ForcedDown)) with { Since = "2.11" },
        Route.Missing("DELETE", Path + "/{service}", "admin", "A host leaves by itself when its agent is gone for good."),
    ];

    /// <summary>A zone some host is in.</summary>
    public static async ValueTask<bool> HasZone(Call c, string zone) => (await Hosts.All(c.Services, c.Cancelled)).Any(h => h.Capacity.Zone == zone);

    private static async ValueTask<Reply> Zones(Call c, bool detail)
    {
        var hosts = await Hosts.All(c.Services);
        return Reply.Object(200, w => w.Objects("availabilityZoneInfo", hosts.GroupBy(h => h.Capacity.Zone), zone =>
        {
            w.WriteString("zoneName", zone.Key);
            w.Object("zoneState", () => w.WriteBoolean("available", zone.Any(h => Hosts.IsUp(c.Services, h))));
            if (!detail) { w.WriteNull("hosts"); return; }
            w.Object("hosts", () =>
            {
                foreach (var h in zone)
                    w.Object(h.Name, () => w.Object("nova-compute", () =>
                    {
                        w.WriteBoolean("active", !h.Disabled);
                        w.WriteBoolean("available", Hosts.IsUp(c.Services, h));
                        w.WriteString("updated_at", ComputeDialect.Micros(h.Seen));
                    }));
            });
        }));
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        var host = (await Hosts.All(c.Services)).FirstOrDefault(h => h.Id == c.Args["service"]) ?? throw new Fault(404, $"Service {(c.Args["service"].Length > 60 ? "" : c.Args["service"])} not found.");
        var read = BodyReader.Of(c.Json);
        var (status, reason, down) = (read.Text("status", 10), read.Name("disabled_reason"), read.Flag("forced_down"));
        read.NothingElse();
        if (status is not (null or "enabled" or "disabled")) throw Fault.BadRequest("Invalid input for field/attribute status: it must be enabled or disabled.");
        if (status is null && reason is null && down is null) throw Fault.BadRequest("No updates were requested. Fields 'status' or 'forced_down' should be specified.");
        if (reason is not null && status != "disabled") throw Fault.BadRequest("Specifying disabled_reason when status is not 'disabled' is invalid.");
        var now = await Hosts.Set(c.Services, host.Name, h => h with { Disabled = status is null ? h.Disabled : status == "disabled", DisabledReason = status is null ? h.DisabledReason : reason, ForcedDown = down ?? h.ForcedDown });
        return Reply.Object(200, w => w.Object("service", () => Write(w, c, now!)));
    }

    // Up to 2.52 what is to change is in the path, and the service is named by host and binary.
    private static Route Old(string action, Func<BodyReader, Func<HostRow, HostRow>> read, Action<System.Text.Json.Utf8JsonWriter, HostRow> answer) => new("PUT", $"{Path}/{action}", "admin", async c =>
    {
        var body = BodyReader.Of(c.Json);
        var (host, binary) = (body.Required("host", 255), body.Required("binary", 255));
        var change = read(body);
        body.NothingElse();
        var now = binary == "nova-compute" ? await Hosts.Set(c.Services, host, change) : null;
        if (now is null) throw new Fault(404, $"Could not find binary {(binary.Length > 60 ? "" : binary)} on host {(host.Length > 60 ? "" : host)}.");
        return Reply.Object(200, w => w.Object("service", () =>
        {
            w.WriteString("host", now.Name);
            w.WriteString("binary", "nova-compute");
            answer(w, now);
        }));
    })
    { Until = "2.52" };

    private static void Write(System.Text.Json.Utf8JsonWriter w, Call c, HostRow h)
    {
        if (c.From(53)) w.WriteString("id", h.Id); else w.WriteNumber("id", ComputeDialect.Number(h.Id));
        w.WriteString("binary", "nova-compute");
        w.WriteString("host", h.Name);
        w.WriteString("zone", h.Capacity.Zone);
        w.WriteString("status", h.Disabled ? "disabled" : "enabled");
        w.WriteString("state", Hosts.IsUp(c.Services, h) ? "up" : "down");
        w.WriteString("updated_at", ComputeDialect.Micros(h.Seen));
        w.WriteString("disabled_reason", h.DisabledReason);
        if (c.From(11)) w.WriteBoolean("forced_down", h.ForcedDown);
    }
}
