using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Image.Metadefs;

/// <summary>https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-namespaces</summary>
public static class Namespaces
{
    public const string Path = "/v2/metadefs/namespaces";
    private const int MaxBytes = 256 * 1024;

    public static readonly Rows<Namespace> Rows = new("metadef_namespace", "image") { Global = true, Shared = n => n.Visibility == "public" };

    public static readonly Kind<Namespace> Kind = new(Rows, "namespaces", Path, ImageDialect.Of("metadefs/"))
    {
        One = "namespace", Id = "namespace", Sees = "image:get_metadef_namespace", TargetOf = n => new(n.Owner),
        Check = async (c, d) =>
        {
            if (d.Old is null)
            {
                if (await Rows.Get(c.Store, "", d.Item.Id, c.Cancelled) is not null) throw Taken(d.Item.Id);
                d.Item = Fresh(c, d.Item);
            }
            if (Json.Write(d.Item).Length > MaxBytes) throw new Fault(413, $"A namespace holds at most {MaxBytes} bytes.");
        },
        CheckDelete = (_, d) =>
        {
            Parts<Tag>.Unprotected(d.Item);
            return ValueTask.CompletedTask;
        },
        Extend = Write,
    };

    public static readonly Route[] Routes =
    [
        new("GET", Path, "image:get_metadef_namespaces", List),
        new("POST", Path, "image:add_metadef_namespace", async c =>
        {
            MetadefBody.Writable(c);
            var made = await Kind.Create(c, c.Route.Policy, c.Json, null);
            return Kind.One1(c, 201, made).With("Location", $"{c.BaseUrl}{Path}/{Uri.EscapeDataString(made.Id)}");
        }),
        new("GET", Path + "/{namespace}", "image:get_metadef_namespace", async c => Kind.One1(c, 200, Prefixed(await Seen(c), c.First("resource_type")))),
        new("PUT", Path + "/{namespace}", "image:modify_metadef_namespace", Update),
        Kind.Delete("image:delete_metadef_namespace"),
    ];

    /// <summary>The one that the path names.</summary>
    /// <exception cref="Fault">404, also for those whom it isn't for.</exception>
    public static async ValueTask<Namespace> Seen(Call c) => (await Kind.Load(c, Kind.Sees)).Item;

    private static async ValueTask<Reply> List(Call c)
    {
        if (c.First("visibility") is { } v and not ("public" or "private")) throw Fault.BadRequest($"Invalid visibility value: {v}");
        var types = c.First("resource_types")?.Split(',');
        var (items, page) = await Kind.Select(c, c.Route.Policy, (_, n) => types is null || n.ResourceTypeAssociations.Any(a => types.Contains(a.Name)));
        return Kind.Page1(c, items, page, detail: false);
    }

    // What the body doesn't say is as in a new one; the parts stay.
    private static async ValueTask<Reply> Update(Call c)
    {
        MetadefBody.Writable(c);
        var was = await Kind.Load(c, c.Route.Policy);
        var old = was.Item;
        var sent = Kind.Read(c, new() { Owner = c.Caller.ProjectId ?? "" }, c.Json, In.Create);
        var item = old with { Id = sent.Id, DisplayName = sent.DisplayName, Description = sent.Description, Visibility = sent.Visibility, Protected = sent.Protected, Owner = sent.Owner };
        if (item.Id == old.Id) return Kind.One1(c, 200, await Rows.Save(c.Services, item, was, Change.By(c)));
        if (await Rows.Get(c.Store, "", item.Id, c.Cancelled) is not null) throw Taken(item.Id);
        var gone = Rows.Deletion(c.Services, was, Change.By(c));
        return Kind.One1(c, 200, await Rows.Save(c.Services, item with { UpdatedAt = c.Now }, null, Change.By(c), gone.Ops, gone.Messages));
    }

    private static Namespace Fresh(Call c, Namespace n)
    {
        T[] All<T>(T[] parts) where T : Part => parts.DistinctBy(p => MetadefBody.Checked(p).Name).Count() == parts.Length
            ? [.. parts.Select(p => Parts<T>.Dated(c, p, null))] : throw Fault.Conflict("Two metadata definitions have the same name.");
        return n with
        {
            Owner = n.Owner.Length > 0 ? n.Owner : c.Caller.ProjectId ?? "",
            Objects = All(n.Objects),
            Properties = All(n.Properties),
            Tags = All(n.Tags),
            ResourceTypeAssociations = All(n.ResourceTypeAssociations),
        };
    }

    private static Namespace Prefixed(Namespace n, string? type)
    {
        if (Array.Find(n.ResourceTypeAssociations, a => a.Name == type)?.Prefix is not { Length: > 0 } prefix) return n;
        return n with
        {
            Properties = [.. n.Properties.Select(p => p with { Name = prefix + p.Name })],
            Objects = [.. n.Objects.Select(o => o with { Required = o.Required?.Select(r => prefix + r).ToArray(), Properties = o.Properties?.ToDictionary(p => prefix + p.Key, p => p.Value) })],
        };
    }

    private static void Write(Utf8JsonWriter w, Call c, Namespace n, bool detail)
    {
        void Member(string name, System.Collections.ICollection value)
        {
            if (value.Count == 0) return;
            w.WritePropertyName(name);
            JsonSerializer.Serialize(w, value, value.GetType(), MetadefBody.Json);
        }
        Member("resource_type_associations", n.ResourceTypeAssociations);
        if (detail)
        {
            Member("objects", n.Objects.Select(o => Objects.Shown(n, o)).ToArray());
            Member("properties", Property.ByName(n.Properties));
            Member("tags", n.Tags.Select(Tags.Named).ToArray());
        }
        w.WriteString("self", $"{Path}/{n.Id}");
        w.WriteString("schema", "/v2/schemas/metadefs/namespace");
    }

    private static Fault Taken(string name) => Fault.Conflict($"The metadata definition namespace {name} already exists.");
}
