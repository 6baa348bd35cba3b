using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#attachments-attachments: read only, because compute makes and ends them.</summary>
public static class Attachments
{
    private const string Path = "/v3/{project_id}/attachments", Since = "3.27", Why = "Attach and detach through the compute service.";

    public static readonly Route[] Routes =
    [
        new("GET", Path, "volume:get_all", c => List(c, detail: false)) { Since = Since }, new("GET", Path + "/detail", "volume:get_all", c => List(c, detail: true)) { Since = Since },
        new("GET", Path + "/{id}", "volume:get", async c =>
        {
            var v = (await Volumes.Rows.InProject(c.Store, c.ProjectId, c.Cancelled)).FirstOrDefault(v => v.Attachment?.Id == c.Args["id"]) ?? throw new Fault(404, $"Volume attachment could not be found with filter: attachment_id = {Volumes.Short(c.Args["id"])}.");
            return Reply.Object(200, w => w.Object("attachment", () => Write(w, v, detail: true)));
        }) { Since = Since },
        Route.Missing("POST", Path, "volume:create", Why), Route.Missing("PUT", Path + "/{id}", "volume:create", Why), Route.Missing("DELETE", Path + "/{id}", "volume:create", Why),
        Route.Missing("POST", Path + "/{id}/action", "volume:create", Why, "os-complete"),
    ];

    private static async ValueTask<Reply> List(Call c, bool detail)
    {
        var (all, _) = await Volumes.Kind.Select(c, "volume:get_all", (call, v) =>
            v.Attachment is { } a && (call.First("volume_id") ?? v.Id) == v.Id && (call.First("instance_id") ?? a.ServerId) == a.ServerId && (call.First("attach_status") ?? "attached") == Status(v));
        return Reply.Object(200, w => w.Objects("attachments", all, v => Write(w, v, detail)));
    }

    private static string Status(Volume v) => v.Status switch { "attaching" => "attaching", "detaching" => "detaching", _ => "attached" };

    private static void Write(Utf8JsonWriter w, Volume v, bool detail)
    {
        var a = v.Attachment!;
        w.WriteString("id", a.Id);
        w.WriteString("status", Status(v));
        w.WriteString("instance", a.ServerId);
        w.WriteString("volume_id", v.Id);
        if (!detail) return;
        w.WriteString("attached_at", BlockDialect.Value.Time(a.At));
        w.WriteString("detached_at", "");
        w.WriteString("attach_mode", "rw");
        w.Object("connection_info", () => { });
    }
}
