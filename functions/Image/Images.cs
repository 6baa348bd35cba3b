using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Agents.Contract;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image;

/// <summary>https://docs.openstack.org/api-ref/image/v2/#images</summary>
public static class Images
{
    public static readonly Rows<Image> Rows = new("image", "image") { NewestFirst = true, Shared = i => i.Visibility is "public" or "community" || i.Visibility == "shared" && i.Members.Count > 0 };

    public const int MaxProperties = 128, MaxValue = 65535;

    public static readonly Quota Quota = new("image", new Dictionary<string, long> { ["images"] = 1000, ["image_bytes"] = 1L << 40 });
    public static readonly Func<Image, Charge[]> Bytes = Quota.CountsEach(Rows, "image_bytes", i => (i.Size ?? 0) * Math.Max(1, i.Stores.Length));

    public static readonly Kind<Image> Kind = new(Rows, "images", "/v2/images", ImageDialect.Value)
    {
        Sees = "image:get_image", Id = "image_id", ListsAll = "admin", AllByDefault = true,
        SharedWith = (c, i) => c.User?.ProjectId is { } project && i.IsFor(project),
        Charges = (Quota, Quota.CountsEach(Rows, "images"), (what, _, used, limit) => new Fault(413, $"The limit of {limit} {what} is reached ({used} in use).")),
        Check = (c, d) =>
        {
            if (d.Item.Visibility == "public" && d.Old?.Visibility != "public") c.Require("image:publicize_image", new(d.Item.ProjectId));
            if (d.Old is null && !Guid.TryParse(d.Item.Id, out _)) throw Fault.BadRequest("Invalid image id format");
            if (d.Item.Tags.Any(t => t.Length > 255)) throw Fault.BadRequest("Invalid input: a tag has at most 255 characters.");
            d.Item = d.Item with { Tags = [.. d.Item.Tags.Distinct()] };
            return ValueTask.CompletedTask;
        },
        Extend = (w, _, i, _) =>
        {
            foreach (var (k, v) in i.Properties) w.WriteString(k, v);
            if (i.Blob is not null) w.WriteString("stores", string.Join(',', i.Stores.Order(StringComparer.Ordinal)));
            if (i.Import is { } import)
            {
                w.WriteString("os_glance_importing_to_stores", string.Join(',', import.Left));
                w.WriteString("os_glance_failed_import", string.Join(',', import.Failed));
            }
            w.WriteString("self", $"/v2/images/{i.Id}");
            w.WriteString("file", $"/v2/images/{i.Id}/file");
            w.WriteString("schema", "/v2/schemas/image");
        },
        CheckDelete = (c, d) =>
        {
            if (d.Item.Protected) throw new Fault(403, $"Image {d.Item.Id} is protected and cannot be deleted.");
            var image = d.Item;
            d.After.Add(async () =>
            {
                if (image.Blob is { } blob) await Locations.Delete(c.Services, blob, image.Stores);
                if (image.Staged is { } staged) await c.Services.Blobs.Delete(staged.Blob, CancellationToken.None);
                foreach (var host in await Hosts.All(c.Services))
                    await c.Services.Bus.Send([Dispatch.Tell(c.Services, host.Name, image.Revision + 1, new RemoveImage(image.Id))]);
                await Cache.Forget(c.Services, image.Id, Change.By(c));
            });
            return ValueTask.CompletedTask;
        },
    };

    public static readonly Route[] Routes =
    [
        new("GET", "/v2/images", "image:get_images", async c =>
        {
            var (items, page) = await Kind.Select(c, c.Route.Policy, ImageFilters.Of(c));
            return Kind.Page1(c, items, page);
        }),
        new("POST", "/v2/images", "image:add_image", Create),
        Kind.Show("image:get_image"), Kind.Delete("image:delete_image"),
        new("PATCH", "/v2/images/{image_id}", "image:modify_image", c => ImagePatch.Apply(c)) { Streams = false },
        new("POST", "/v2/images/{image_id}/actions/deactivate", "image:deactivate", c => SetStatus(c, "active", "deactivated")),
        new("POST", "/v2/images/{image_id}/actions/reactivate", "image:reactivate", c => SetStatus(c, "deactivated", "active")),
        new("PUT", "/v2/images/{image_id}/tags/{tag}", "image:modify_image", c => Tag(c, (tags, tag) => [.. tags.Append(tag).Distinct()])),
        new("DELETE", "/v2/images/{image_id}/tags/{tag}", "image:modify_image", c => Tag(c, (tags, tag) => tags.Contains(tag) ? [.. tags.Where(t => t != tag)] : throw Fault.NotFound("tag", tag))),
    ];

    private static async ValueTask<Reply> Create(Call c)
    {
        var image = await Make(c, c.Json);
        return Kind.One1(c, 201, image).With("Location", $"{c.BaseUrl}/v2/images/{image.Id}").With("OpenStack-image-import-methods", string.Join(',', ImageImport.Methods)).With("OpenStack-image-store-ids", string.Join(',', c.Services.ImageStores.Select(s => s.Id)));
    }

    /// <summary>A new image without data, as <paramref name="said"/>.</summary>
    internal static async ValueTask<Image> Make(Call c, JsonElement said)
    {
        if (said.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("The body must be a JSON object.");
        var (known, properties) = Split(said);
        var kind = Kind with { Check = async (call, d) => { d.Item = d.Item with { Properties = properties }; await Kind.Check(call, d); } };
        using var body = JsonDocument.Parse(known.ToJsonString());
        return await kind.Create(c, "image:add_image", body.RootElement, null);
    }

    /// <summary>Fields of the record, and all else as properties.</summary>
    /// <exception cref="Fault">A property that isn't text, or whose name is taken.</exception>
    private static (JsonObject Known, Dictionary<string, string> Properties) Split(JsonElement body)
    {
        var known = new JsonObject();
        var properties = new Dictionary<string, string>();
        foreach (var p in body.EnumerateObject())
        {
            if (ImagePatch.IsField(p.Name)) known[p.Name] = JsonNode.Parse(p.Value.GetRawText());
            else properties[Name(p.Name)] = p.Value.ValueKind == JsonValueKind.String ? Value(p.Value.GetString()!) : throw Fault.BadRequest($"Provided object does not match schema 'image': {p.Name} is not of type 'string'");
        }
        if (properties.Count > MaxProperties) throw new Fault(413, "The limit has been exceeded on the number of allowed image properties.");
        return (known, properties);
    }

    internal static string Name(string property) =>
        property.Length is > 0 and <= 255 && property is not ("self" or "file" or "schema" or "locations" or "direct_url" or "deleted" or "deleted_at" or "stores") && !property.StartsWith("os_glance_", StringComparison.Ordinal)
            ? property : throw new Fault(403, $"Attribute '{property}' is reserved.");

    internal static string Value(string value) => value.Length <= MaxValue ? value : throw Fault.BadRequest($"Provided object does not match schema 'image': a property has at most {MaxValue} characters");

    private static async ValueTask<Reply> SetStatus(Call c, string from, string to)
    {
        await Kind.Change(c, c.Route.Policy, d =>
        {
            if (d.Item.Status != from && d.Item.Status != to) throw new Fault(403, $"Not allowed to change the status of image {d.Item.Id} from '{d.Item.Status}' to '{to}'.");
            d.Item = d.Item with { Status = to };
        });
        return Reply.Empty(204);
    }

    private static async ValueTask<Reply> Tag(Call c, Func<string[], string, string[]> change)
    {
        await Kind.Change(c, c.Route.Policy, d => d.Item = d.Item with { Tags = change(d.Item.Tags, c.Args["tag"]) });
        return Reply.Empty(204);
    }
}
