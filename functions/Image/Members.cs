using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>https://docs.openstack.org/api-ref/image/v2/#sharing</summary>
public static class Members
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v2/images/{image_id}/members", "image:get_members", async c =>
        {
            var image = await OfSharedImage(c);
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("members");
                foreach (var (project, m) in image.Members)
                    if (IsOwner(c, image) || project == c.User?.ProjectId) Write(w, image, project, m);
                w.WriteEndArray();
                w.WriteString("schema", "/v2/schemas/members");
                w.WriteEndObject();
            });
        }),
        new("POST", "/v2/images/{image_id}/members", "image:add_member", async c =>
        {
            var project = Text(c, "member");
            var image = await Images.Kind.Change(c, "image:add_member", d =>
            {
                if (d.Item.Visibility != "shared") throw new Fault(403, "Only shared images have members.");
                if (d.Item.Members.ContainsKey(project)) throw Fault.Conflict($"Image member {project} already exists for image {d.Item.Id}");
                if (d.Item.Members.Count >= 128) throw new Fault(413, "The limit has been exceeded on the number of allowed image members.");
                d.Item = d.Item with { Members = new(d.Item.Members) { [project] = new("pending", c.Now, c.Now) } };
            });
            return Reply.Of(200, w => Write(w, image, project, image.Members[project]));
        }),
        new("GET", "/v2/images/{image_id}/members/{member}", "image:get_member", async c =>
        {
            var image = await OfSharedImage(c);
            var member = Visible(c, image);
            return Reply.Of(200, w => Write(w, image, c.Args["member"], member));
        }),
        new("PUT", "/v2/images/{image_id}/members/{member}", "image:modify_member", async c =>
        {
            var status = Text(c, "status");
            if (status is not ("pending" or "accepted" or "rejected")) throw Fault.BadRequest("Status must be \"pending\", \"accepted\" or \"rejected\".");
            var project = c.Args["member"];
            var image = await Images.Kind.Change(c, "image:get_image", d =>
            {
                var member = Visible(c, d.Item);
                if (project != c.User?.ProjectId && !c.Allows("admin", default)) throw Fault.Forbidden(c.Route.Policy);
                d.Item = d.Item with { Members = new(d.Item.Members) { [project] = member with { Status = status, UpdatedAt = c.Now } } };
            });
            return Reply.Of(200, w => Write(w, image, project, image.Members[project]));
        }),
        new("DELETE", "/v2/images/{image_id}/members/{member}", "image:delete_member", async c =>
        {
            await Images.Kind.Change(c, "image:delete_member", d =>
            {
                Of(d.Item, c.Args["member"]);
                var rest = new Dictionary<string, Member>(d.Item.Members);
                rest.Remove(c.Args["member"]);
                d.Item = d.Item with { Members = rest };
            });
            return Reply.Empty(204);
        }),
    ];

    private static async ValueTask<Image> OfSharedImage(Call c) => (await Images.Kind.Load(c, "image:get_image")).Item is { Visibility: "shared" } image ? image : throw Fault.NotFound("image member", c.Args["image_id"]);

    private static bool IsOwner(Call c, Image image) => image.ProjectId == c.User?.ProjectId || c.Allows("admin", default);

    // A member sees itself; whom else the image is shared with is the owner's business.
    private static Member Visible(Call c, Image image) => IsOwner(c, image) || c.Args["member"] == c.User?.ProjectId ? Of(image, c.Args["member"]) : throw Fault.NotFound("member", c.Args["member"]);

    private static Member Of(Image image, string project) => image.Members.TryGetValue(project, out var m) ? m : throw Fault.NotFound("member", project);

    private static string Text(Call c, string name) =>
        c.Json.ValueKind == JsonValueKind.Object && c.Json.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String && v.GetString() is { Length: > 0 and < 256 } s ? s : throw Fault.BadRequest($"'{name}' must be given.");

    private static void Write(Utf8JsonWriter w, Image image, string project, Member m)
    {
        w.WriteStartObject();
        w.WriteString("image_id", image.Id);
        w.WriteString("member_id", project);
        w.WriteString("status", m.Status);
        w.WriteString("created_at", ImageDialect.Value.Time(m.CreatedAt));
        w.WriteString("updated_at", ImageDialect.Value.Time(m.UpdatedAt));
        w.WriteString("schema", "/v2/schemas/member");
        w.WriteEndObject();
    }
}
