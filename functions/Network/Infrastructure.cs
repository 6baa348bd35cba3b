using System.Text.Json;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>Agents and zones: https://docs.openstack.org/api-ref/network/v2/#agents</summary>
public static class Infrastructure
{
    public static readonly Route[] Routes =
    [
        // Whoever may not see them sees none.
        new("GET", "/v2.0/agents", "authenticated", async c =>
        {
            var hosts = (await Hosts.All(c.Services, c.Cancelled)).Where(h => c.Allows("network:get_agents", default) && Wanted(c, h));
            return Reply.Object(200, w => w.Objects("agents", hosts, h => Write(w, c, h)));
        }),
        new("GET", "/v2.0/agents/{id}", "network:get_agents", async c =>
        {
            var host = (await Hosts.All(c.Services, c.Cancelled)).FirstOrDefault(h => h.Id == c.Args["id"]) ?? throw Fault.NotFound("agent", c.Args["id"]);
            return Reply.Object(200, w => w.Object("agent", () => Write(w, c, host)));
        }),
        new("GET", "/v2.0/availability_zones", "authenticated", async c =>
        {
            var zones = (await Hosts.All(c.Services, c.Cancelled)).Select(h => h.Capacity.Zone).Append("nova").Distinct().Order(StringComparer.Ordinal);
            var all = zones.SelectMany(z => new[] { (Zone: z, Resource: "network"), (Zone: z, Resource: "router") }).Where(z => (c.First("name") ?? z.Zone) == z.Zone && (c.First("resource") ?? z.Resource) == z.Resource);
            return Reply.Object(200, w => w.Objects("availability_zones", all, z =>
            {
                w.WriteString("name", z.Zone);
                w.WriteString("resource", z.Resource);
                w.WriteString("state", "available");
            }));
        }),
    ];

    // Agents are the one resource whose times have a blank in them.
    private static string Time(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);

    private const string AgentType = "Host agent";

    private static bool Wanted(Call c, HostRow h) =>
        (c.First("id") ?? h.Id) == h.Id && (c.First("host") ?? h.Name) == h.Name && (c.First("agent_type") ?? AgentType) == AgentType && (c.First("availability_zone") ?? h.Capacity.Zone) == h.Capacity.Zone
        && (Lenient.Boolean(c.First("alive") ?? "") is not { } alive || alive == Hosts.IsUp(c.Services, h));

    private static void Write(Utf8JsonWriter w, Call c, HostRow h)
    {
        w.WriteString("id", h.Id);
        w.WriteString("agent_type", AgentType);
        w.WriteString("binary", "cloud-host-agent");
        w.WriteString("host", h.Name);
        w.WriteString("topic", "N/A");
        w.WriteString("availability_zone", h.Capacity.Zone);
        w.WriteBoolean("admin_state_up", !h.Disabled);
        w.WriteBoolean("alive", Hosts.IsUp(c.Services, h));
        w.WriteString("created_at", Time(h.Since));
        w.WriteString("started_at", Time(h.Since));
        w.WriteString("heartbeat_timestamp", Time(h.Seen));
        w.WriteString("description", "");
        w.Object("configurations", () => { });
        w.WriteNull("resources_synced");
    }
}
