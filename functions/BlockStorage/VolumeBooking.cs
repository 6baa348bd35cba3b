using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>
/// The actions by which clients keep the books of attachments that compute doesn't make. What a guest has attached through compute
/// can't be touched here: its volume would be free for others while the guest still reaches it (CVE-2023-2088).
/// </summary>
public static class VolumeBooking
{
    private const string Path = "/v3/{project_id}/volumes/{id}/action";

    public static readonly Route[] Routes =
    [
        Book("os-reserve", ["available"], (_, v) => v with { Status = "attaching" }),
        Book("os-unreserve", ["attaching"], (_, v) => v with { Status = v.Attachment is null ? "available" : "in-use" }),
        Book("os-begin_detaching", ["in-use"], (_, v) => v with { Status = "detaching" }),
        Book("os-roll_detaching", ["detaching"], (_, v) => v with { Status = "in-use" }),
        Book("os-attach", ["available", "attaching"], (c, v) =>
        {
            var body = c.Body("os-attach");
            var (server, host, device, mode) = (VolumeActions.Text(body, "instance_uuid"), VolumeActions.Text(body, "host_name"), VolumeActions.Text(body, "mountpoint"), VolumeActions.Text(body, "mode") ?? "rw");
            if (server is not null && host is not null || server is null && host is null) throw Fault.BadRequest("Invalid request to attach volume to an instance and/or a host: exactly one of them must be given.");
            if (server is not null && !Guid.TryParse(server, out _)) throw Fault.BadRequest("Invalid input for field/attribute instance_uuid.");
            if (mode is not ("rw" or "ro")) throw Fault.BadRequest("Invalid request to attach volume with an invalid mode. Attaching mode should be 'rw' or 'ro'");
            return v with { Status = "in-use", Attachment = new(c.Services.Ids.New(), server, device is { Length: > 0 } ? device : throw Fault.BadRequest("Invalid input for field/attribute mountpoint."), c.Now, ByCompute: false, host) };
        }),
        Book("os-detach", ["in-use", "detaching"], (c, v) =>
        {
            var id = VolumeActions.Text(c.Body("os-detach"), "attachment_id");
            if (id is not null && v.Attachment?.Id != id) throw new Fault(404, $"Volume attachment could not be found with filter: attachment_id = {Volumes.Short(id)}.");
            return v with { Status = "available", Attachment = null };
        }),
        Book("os-force_detach", ["in-use", "detaching", "attaching", "error_detaching"], (_, v) => v with { Status = "available", Attachment = null }, "volume:force_detach"),
    ];

    private static Route Book(string action, string[] from, Func<Call, Volume, Volume> change, string policy = "volume:update") => new("POST", Path, policy, async c =>
    {
        await Volumes.Kind.Change(c, policy, d =>
        {
            if (d.Item.Attachment is { ByCompute: true }) throw Fault.Conflict($"Detach volume from instance {d.Item.Attachment.ServerId} using the Compute API");
            if (!from.Contains(d.Item.Status)) throw Fault.BadRequest($"Invalid volume: Unable to {action[3..]} volume while it is {d.Item.Status}. Volume status must be {string.Join(" or ", from)}.");
            d.Item = change(c, d.Item);
        });
        return Reply.Empty(202);
    })
    { Action = action };
}
