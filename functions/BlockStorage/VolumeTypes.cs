using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>https://docs.openstack.org/api-ref/block-storage/v3/#volume-types-types</summary>
public static class VolumeTypes
{
    public const string Default = "local";
    private const string One = "/v3/{project_id}/types/{id}", Specs = One + "/extra_specs";

    public static readonly Rows<VolumeType> Rows = new("volume_type", "block-storage") { Global = true };

    private static readonly Kind<VolumeType> Kind = new(Rows, "volume_types", "/v3/{project_id}/types", BlockDialect.Value)
    {
        Sees = "authenticated",
        Check = async (c, d) =>
        {
            var name = d.Item.Name.Trim();
            if (name.Length == 0) throw Fault.BadRequest("Invalid input for field/attribute name: it must not be blank.");
            if ((await Rows.InProject(c.Store, "", c.Cancelled)).Any(t => t.Name == name && t.Id != d.Item.Id)) throw Fault.Conflict($"Volume Type {name} already exists.");
            Metadata.Check(d.Item.ExtraSpecs ?? []);
            // Held by its name as well, so that two at once can't both have it.
            if (d.Old?.Name == name) return;
            d.Ops.Add(new Op.Insert(NameKey(name), default));
            if (d.Old is not null) d.Ops.Add(new Op.Delete(NameKey(d.Old.Name)));
            d.Item = d.Item with { Name = name };
        },
        CheckDelete = async (c, d) =>
        {
            if ((await Volumes.Rows.Everywhere(c.Store, c.Cancelled)).Any(v => v.VolumeTypeId == d.Item.Id)) throw Fault.BadRequest($"Target volume type is still in use.");
            d.Ops.Add(new Op.Delete(NameKey(d.Item.Name)));
        },
        Extend = (w, c, t, _) =>
        {
            // An update's answer is without it.
            if (c.Method != "PUT") w.WriteBoolean("os-volume-type-access:is_public", t.IsPublic);
            if (c.Method is "GET" or "HEAD") w.WriteNull("qos_specs_id");
        },
    };

    public static readonly Route[] Routes =
    [
        Kind.List("authenticated", where: Wanted), Kind.Create("volume:manage_types", status: 200), Kind.Update("volume:manage_types"), Kind.Delete("volume:manage_types", status: 202),
        new("GET", One, "authenticated", async c => Kind.One1(c, 200, await Visible(c))),
        new("GET", "/v3/{project_id}/types/default", "authenticated", async c => Kind.One1(c, 200, await Usable(c, Default) ?? throw new Fault(404, "Default volume type can not be found."))),
        new("GET", Specs, "authenticated", async c => All((await Visible(c)).ExtraSpecs)),
        new("POST", Specs, "volume:manage_types", async c => { var given = Metadata.Read(c.Json, "extra_specs"); await Set(c, old => { foreach (var (k, v) in given) old[k] = v; }); return All(given); }),
        new("GET", Specs + "/{key}", "authenticated", async c => (await Visible(c)).ExtraSpecs?.TryGetValue(c.Args["key"], out var v) == true ? Reply.Object(200, w => w.WriteString(c.Args["key"], v)) : throw Missing(c)),
        new("PUT", Specs + "/{key}", "volume:manage_types", async c =>
        {
            var key = c.Args["key"];
            var value = VolumeActions.Text(c.Json, key) ?? throw Fault.BadRequest("Request body and URI mismatch.");
            if (c.Json.EnumerateObject().Count() > 1) throw Fault.BadRequest("Request body contains too many items.");
            await Set(c, old => old[key] = value);
            return Reply.Object(200, w => w.WriteString(key, value));
        }),
        new("DELETE", Specs + "/{key}", "volume:manage_types", async c => { await Set(c, old => { if (!old.Remove(c.Args["key"])) throw Missing(c); }); return Reply.Empty(202); }),
        new("GET", One + "/os-volume-type-access", "volume:manage_types", async c =>
        {
            var t = (await Kind.Load(c, "volume:manage_types")).Item;
            if (t.IsPublic) throw new Fault(404, "Access list not available for public volume types.");
            return Reply.Object(200, w => w.Objects("volume_type_access", t.Projects, p => { w.WriteString("volume_type_id", t.Id); w.WriteString("project_id", p); }));
        }),
        new("POST", One + "/action", "volume:manage_types", c => Access(c, "addProjectAccess", (t, p) => t.Projects.Contains(p) ? throw Fault.Conflict($"Volume type access for {t.Id} / {p} combination already exists.") : [.. t.Projects, p])) { Action = "addProjectAccess" },
        new("POST", One + "/action", "volume:manage_types", c => Access(c, "removeProjectAccess", (t, p) => t.Projects.Contains(p) ? [.. t.Projects.Where(x => x != p)] : throw new Fault(404, $"Volume type access not found for {t.Id} / {p} combination."))) { Action = "removeProjectAccess" },
    ];

    /// <summary>A type that the caller may use, by name or id.</summary>
    public static async ValueTask<VolumeType?> Usable(Call c, string named) =>
        (await Rows.InProject(c.Store, "", c.Cancelled)).Where(t => (t.Name == named || t.Id == named) && Sees(c, t)).OrderBy(t => t.Id == named ? 0 : 1).FirstOrDefault();

    public static async ValueTask Bootstrap(Platform.Services s)
    {
        if ((await Rows.InProject(s.Store, "")).Count == 0)
            await Rows.Save(s, new VolumeType { Id = s.Ids.New(), Name = Default, Description = "A file on the host of its server", CreatedAt = s.Now }, null, new("bootstrap", ""), [new Op.Insert(NameKey(Default), default)]);
    }

    private static string NameKey(string name) => "volume_type_name|" + Keys.Safe(name);

    private static bool Sees(Call c, VolumeType t) => t.IsPublic || c.Allows("volume:see_types", default) || (c.User?.ProjectId is { } project && t.Projects.Contains(project));

    private static bool Wanted(Call c, VolumeType t)
    {
        bool? wanted = !c.Allows("volume:see_types", default) || c.First("is_public") is not { } asked ? true
            : asked.Equals("none", StringComparison.OrdinalIgnoreCase) ? null : Lenient.Boolean(asked) ?? throw Fault.BadRequest($"Invalid is_public filter [{Volumes.Short(asked)}]");
        return wanted is null || t.IsPublic == wanted || (wanted == true && t.Projects.Contains(c.User?.ProjectId));
    }

    private static async ValueTask<VolumeType> Visible(Call c) => (await Kind.Load(c, "authenticated")).Item is var t && Sees(c, t) ? t : throw Fault.NotFound("volume_type", t.Id);

    private static async ValueTask Set(Call c, Action<Dictionary<string, string>> change) => await Kind.Change(c, "volume:manage_types", d =>
    {
        var specs = new Dictionary<string, string>(d.Item.ExtraSpecs ?? []);
        change(specs);
        d.Item = d.Item with { ExtraSpecs = specs };
    });

    private static async ValueTask<Reply> Access(Call c, string action, Func<VolumeType, string, string[]> change)
    {
        var project = VolumeActions.Text(c.Body(action), "project") ?? throw Fault.BadRequest("Invalid input for field/attribute project.");
        await Kind.Change(c, "volume:manage_types", d => d.Item = d.Item.IsPublic ? throw Fault.Conflict($"Type access modification is not applicable to public volume type.") : d.Item with { Projects = change(d.Item, project) });
        return Reply.Empty(202);
    }

    private static Fault Missing(Call c) => new(404, $"Volume Type {c.Args["id"]} has no extra specs with key {c.Args["key"]}.");

    private static Reply All(Dictionary<string, string>? specs) => Reply.Object(200, w => w.Map("extra_specs", specs ?? []));
}
