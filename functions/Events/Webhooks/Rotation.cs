using Cloud.Platform.Rest;

namespace Cloud.Events.Webhooks;

/// <summary>Changing keys without losing an event: for a while both the new one and the old one sign.</summary>
internal static class Rotation
{
    public static readonly Route[] Routes =
    [
        new("POST", "/v1/webhooks/{id}/rotate", "events:webhook_write", async c => Webhooks.WithSecret(c, 200, await Webhooks.Kind.Change(c, "events:webhook_write", d =>
            d.Item = d.Item.Keys.Length > 1 ? throw Fault.Conflict("The webhook has two keys already; retire the older one first.")
                : d.Item with { Keys = [Signature.NewKey(c.Services.Ids.New(), c.Now), .. d.Item.Keys] }))),
        new("DELETE", "/v1/webhooks/{id}/keys/{key_id}", "events:webhook_write", async c =>
        {
            await Webhooks.Kind.Change(c, "events:webhook_write", d =>
            {
                if (!Array.Exists(d.Item.Keys, k => k.Id == c.Args["key_id"])) throw Fault.NotFound("key", c.Args["key_id"]);
                d.Item = d.Item.Keys.Length == 1 ? throw Fault.Conflict("The last key can't be retired; rotate first.") : d.Item with { Keys = [.. d.Item.Keys.Where(k => k.Id != c.Args["key_id"])] };
            });
            return Reply.Empty(204);
        }),
    ];
}
