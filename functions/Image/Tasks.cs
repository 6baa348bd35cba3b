using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>https://docs.openstack.org/api-ref/image/v2/#tasks: what became of imports, for two days.</summary>
public static class Tasks
{
    public static readonly Rows<ImageTask> Rows = new("task", "image") { Publishes = false, NewestFirst = true };
    public static readonly TimeSpan Kept = TimeSpan.FromDays(2);

    private static readonly Kind<ImageTask> Kind = new(Rows, "tasks", "/v2/tasks", ImageDialect.Value) { Sees = "image:get_task", Id = "task_id", ListsAll = "admin", AllByDefault = true };

    public static readonly Route[] Routes =
    [
        new("GET", "/v2/tasks", "image:get_tasks", async c =>
        {
            var (status, type) = (c.First("status"), c.First("type"));
            if (status is not (null or "pending" or "processing" or "success" or "failure")) throw Fault.BadRequest($"Invalid status value: {status}");
            var (tasks, page) = await Kind.Select(c, c.Route.Policy, (_, t) => (status ?? t.Status) == t.Status && (type ?? t.Type) == t.Type);
            return Reply.Object(200, w =>
            {
                w.Objects("tasks", tasks, t => Write(w, t, detail: false));
                ImageDialect.Value.Links(w, c, page);
            });
        }),
        new("GET", "/v2/tasks/{task_id}", "image:get_task", async c =>
        {
            var task = (await Kind.Load(c, c.Route.Policy)).Item;
            return Reply.Object(200, w => Write(w, task, detail: true));
        }),
        new("POST", "/v2/tasks", "image:add_task", Create),
        new("GET", "/v2/images/{image_id}/tasks", "image:get_image", async c =>
        {
            var image = (await Images.Kind.Load(c, c.Route.Policy)).Item;
            // Whom an image is shared with needn't know where it came from.
            var own = image.ProjectId == c.User?.ProjectId || c.Allows("admin", default);
            var tasks = own ? (await Rows.InProject(c.Store, image.ProjectId, c.Cancelled)).Where(t => t.ImageId == image.Id) : [];
            return Reply.Object(200, w => w.Objects("tasks", tasks, t => Write(w, t, detail: true)));
        }),
    ];

    /// <summary>The older way of an import, which makes the image too.</summary>
    private static async ValueTask<Reply> Create(Call c)
    {
        if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || type.GetString() != "import") throw Fault.BadRequest("Tasks are of the type import.");
        var input = c.Body("input");
        if (!input.TryGetProperty("import_from", out var from) || from.ValueKind != JsonValueKind.String || !input.TryGetProperty("import_from_format", out var format) || format.ValueKind != JsonValueKind.String)
            throw Fault.BadRequest("Input does not contain 'import_from' and 'import_from_format' fields.");
        if (!input.TryGetProperty("image_properties", out var properties) || properties.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Input does not contain 'image_properties' field.");
        var source = ImageImport.WebDownload(c, from.GetString()!);
        var said = JsonNode.Parse(properties.GetRawText())!.AsObject();
        said.TryAdd("disk_format", format.GetString());
        said.TryAdd("container_format", "bare");
        using var body = JsonDocument.Parse(said.ToJsonString());
        var image = await Images.Make(c, body.RootElement);
        var task = await ImageImport.Start(c, image.Id, source, input, new() { Type = "import", Input = input.GetRawText() });
        return Reply.Object(201, w => Write(w, task, detail: true)).With("Location", $"{c.BaseUrl}/v2/tasks/{task.Id}");
    }

    /// <summary>Forgets those whose time has come.</summary>
    public static async Task Expire(Services s, CancellationToken ct)
    {
        foreach (var task in await Rows.Everywhere(s.Store, ct))
            if (task.ExpiresAt <= s.Now && await Rows.Find(s.Store, task.Id, task.ProjectId, ct) is { } found) await Rows.Remove(s, found, new("", ""), ct: ct);
    }

    private static void Write(Utf8JsonWriter w, ImageTask task, bool detail)
    {
        w.WriteString("id", task.Id);
        w.WriteString("type", task.Type);
        w.WriteString("status", task.Status);
        w.WriteString("owner", task.ProjectId);
        w.WriteString("created_at", ImageDialect.Value.Time(task.CreatedAt));
        w.WriteString("updated_at", ImageDialect.Value.Time(task.UpdatedAt ?? task.CreatedAt));
        if (task.ExpiresAt is { } expires) w.WriteString("expires_at", ImageDialect.Value.Time(expires));
        w.WriteString("self", "/v2/tasks/" + task.Id);
        w.WriteString("schema", "/v2/schemas/task");
        if (!detail) return;
        w.WritePropertyName("input");
        w.WriteRawValue(task.Input);
        if (task.Status == "success") w.Object("result", () => w.WriteString("image_id", task.ImageId));
        else w.WriteNull("result");
        w.WriteString("message", task.Message);
        w.WriteString("image_id", task.ImageId);
        w.WriteString("request_id", task.RequestId);
        w.WriteString("user_id", task.UserId);
    }
}
