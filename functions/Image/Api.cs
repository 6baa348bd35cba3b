using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>Glance's API, version 2.15.</summary>
public static class Api
{
    public static readonly Platform.Slice Slice = new("image", "image", ImageDialect.Value,
    [
        new("GET", "/", Policy.Anyone, Versions), new("GET", "/versions", Policy.Anyone, Versions), new("GET", "/v2", Policy.Anyone, Versions),
        .. Images.Routes, .. ImageData.Routes, .. Members.Routes,
        new("GET", "/v2/schemas/{name}", "authenticated", c => new(Schema(c.Args["name"]))),
        new("GET", "/v2/info/import", "authenticated", _ => new(Reply.Of(200, w => { w.WriteStartObject(); w.WriteStartObject("import-methods"); w.WriteString("type", "array"); w.WriteStartArray("value"); w.WriteEndArray(); w.WriteEndObject(); w.WriteEndObject(); }))),
        new("GET", "/v2/info/stores", "authenticated", _ => throw new Fault(404, "Multi backend is not supported at this site.")),
        Route.Missing("POST", "/v2/images/{image_id}/import", "image:upload_image", "Import is not offered; upload the data with PUT file."),
        Route.Missing("POST", "/v2/tasks", "authenticated", "Tasks are not offered."),
    ])
    {
        CatalogName = "glance",
        Owners = [new("image", async (s, _, id) => await Images.Rows.Find(s.Store, id) is not null, id => new RemoveImage(id))],
        Leftovers = [Images.Rows.Pointers, Images.Rows.Strays],
        Jobs = [new("sweep-blobs", TimeSpan.FromMinutes(30), ImageData.Sweep)],
    };

    private static ValueTask<Reply> Versions(Call c) => new(Reply.Of(300, w =>
    {
        w.WriteStartObject();
        w.WriteStartArray("versions");
        foreach (var minor in (int[])[15, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
        {
            w.WriteStartObject();
            w.WriteString("id", $"v2.{minor}");
            w.WriteString("status", minor == 15 ? "CURRENT" : "SUPPORTED");
            w.WriteStartArray("links");
            w.WriteStartObject();
            w.WriteString("rel", "self");
            w.WriteString("href", c.BaseUrl + "/v2/");
            w.WriteEndObject();
            w.WriteEndArray();
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }));

    private static Reply Schema(string name)
    {
        string[] text = name switch
        {
            "image" or "images" => ["id", "name", "status", "visibility", "disk_format", "container_format", "checksum", "os_hash_algo", "os_hash_value", "owner", "created_at", "updated_at", "self", "file", "schema"],
            "member" or "members" => ["image_id", "member_id", "status", "created_at", "updated_at", "schema"],
            _ => throw Fault.NotFound("schema", name),
        };
        void One(Utf8JsonWriter w)
        {
            w.WriteStartObject("properties");
            foreach (var p in text) Property(w, p, "string");
            if (name.StartsWith("image", StringComparison.Ordinal))
            {
                foreach (var p in (string[])["min_disk", "min_ram", "size", "virtual_size"]) Property(w, p, "integer");
                foreach (var p in (string[])["protected", "os_hidden"]) Property(w, p, "boolean");
                Property(w, "tags", "array");
            }
            w.WriteEndObject();
            w.WriteStartObject("additionalProperties");
            w.WriteString("type", "string");
            w.WriteEndObject();
        }
        return Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteString("name", name);
            if (name.EndsWith('s'))
            {
                w.WriteStartObject("properties");
                w.WriteStartObject(name);
                w.WriteString("type", "array");
                w.WriteStartObject("items");
                w.WriteString("name", name[..^1]);
                One(w);
                w.WriteEndObject();
                w.WriteEndObject();
                w.WriteEndObject();
            }
            else One(w);
            w.WriteEndObject();
        });
    }

    private static void Property(Utf8JsonWriter w, string name, string type)
    {
        w.WriteStartObject(name);
        w.WriteStartArray("type");
        w.WriteStringValue("null");
        w.WriteStringValue(type);
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
