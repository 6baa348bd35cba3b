using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>https://docs.openstack.org/api-ref/image/v2/#tasks, to look at. An image has one, its last import, and the task's id is the image's.</summary>
public static class Tasks
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v2/tasks", "image:get_tasks", async c =>
        {
            if (c.First("status") is { } s and not ("pending" or "processing" or "success" or "failure")) throw Fault.BadRequest($"Invalid status value: {s}");
            var status = c.First("status");
            var (images, page) = await Images.Kind.Select(c, c.Route.Policy, (_, i) => i.Import is { } import && (status is null || import.Status == status));
            return Reply.Object(200, w =>
            {
                w.Objects("tasks", images, i => Write(w, i, detail: false));
                ImageDialect.Value.Links(w, c, page with { Collection = "tasks" });
            });
        }),
        new("GET", "/v2/tasks/{task_id}", "image:get_task", async c =>
        {
            var image = (await Images.Rows.Find(c.Store, c.Args["task_id"], ct: c.Cancelled))?.Item;
            return image?.Import is null ? throw Fault.NotFound("task", c.Args["task_id"]) : Reply.Object(200, w => Write(w, image, detail: true));
        }),
        Route.Missing("POST", "/v2/tasks", "image:add_task", "Tasks come from imports alone: POST /v2/images/{image_id}/import."),
        new("GET", "/v2/images/{image_id}/tasks", "image:get_image", async c =>
        {
            var image = (await Images.Kind.Load(c, c.Route.Policy)).Item;
            // Whom an image is shared with needn't know where it came from.
            var own = image.Import is not null && (image.ProjectId == c.User?.ProjectId || c.Allows("admin", default));
            return Reply.Object(200, w => w.Objects("tasks", own ? [image] : Array.Empty<Image>(), i => Write(w, i, detail: true)));
        }),
    ];

    private static void Write(Utf8JsonWriter w, Image image, bool detail)
    {
        var import = image.Import!;
        w.WriteString("id", image.Id);
        w.WriteString("type", "api_image_import");
        w.WriteString("status", import.Status);
        w.WriteString("owner", image.ProjectId);
        w.WriteString("created_at", ImageDialect.Value.Time(import.CreatedAt));
        w.WriteString("updated_at", ImageDialect.Value.Time(import.UpdatedAt));
        w.WriteString("self", "/v2/tasks/" + image.Id);
        w.WriteString("schema", "/v2/schemas/task");
        if (!detail) return;
        w.Object("input", () =>
        {
            w.WriteString("image_id", image.Id);
            w.Strings("backend", [Stores.Id]);
            w.Object("import_req", () => w.Object("method", () =>
            {
                w.WriteString("name", import.Method);
                if (import.Uri is { } uri) w.WriteString("uri", uri);
            }));
        });
        w.WriteNull("result");
        w.WriteString("message", import.Message);
        w.WriteString("image_id", image.Id);
        w.WriteString("request_id", import.RequestId);
        w.WriteString("user_id", import.UserId);
    }
}
