using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.Compute;

/// <summary>Extra specs of flavors, and who may use those that aren't public: https://docs.openstack.org/api-ref/compute/#flavors-extra-specs-flavors-os-flavor-extra-specs</summary>
public static class FlavorExtras
{
    private const string One = "/v2.1/flavors/{id}", Specs = One + "/os-extra_specs";

    public static readonly Route[] Routes =
    [
        new("GET", Specs, "authenticated", async c => All("extra_specs", (await Flavors.Load(c)).Item.ExtraSpecs)),
        new("POST", Specs, "compute:manage_flavors", async c =>
        {
            var given = Read(c.Body("extra_specs"));
            return All("extra_specs", await Set(c, specs => { foreach (var (k, v) in given) specs[k] = v; }));
        }),
        new("GET", Specs + "/{key}", "authenticated", async c => (await Flavors.Load(c)).Item.ExtraSpecs.TryGetValue(c.Args["key"], out var v) ? Reply.Object(200, w => w.WriteString(c.Args["key"], v)) : throw Missing(c)),
        new("PUT", Specs + "/{key}", "compute:manage_flavors", async c =>
        {
            var given = Read(c.Json);
            if (given.Count != 1 || !given.TryGetValue(c.Args["key"], out var value)) throw Fault.BadRequest("Request body and URI mismatch");
            await Set(c, specs => specs[c.Args["key"]] = value);
            return Reply.Object(200, w => w.WriteString(c.Args["key"], value));
        }),
        new("DELETE", Specs + "/{key}", "compute:manage_flavors", async c =>
        {
            await Set(c, specs => { if (!specs.Remove(c.Args["key"])) throw Missing(c); });
            return Reply.Empty(200);
        }),
        new("GET", One + "/os-flavor-access", "compute:manage_flavors", async c =>
        {
            var f = (await Flavors.Load(c)).Item;
            return f.IsPublic ? throw new Fault(404, "Access list not available for public flavors.") : Access(f);
        }),
        Change("addTenantAccess", (f, p) => f.Projects.Contains(p) ? throw Fault.Conflict($"Flavor access already exists for flavor {f.Id} and project {p} combination.") : [.. f.Projects, p]),
        Change("removeTenantAccess", (f, p) => f.Projects.Contains(p) ? [.. f.Projects.Where(x => x != p)] : throw new Fault(404, $"Flavor access not found for {f.Id} / {p} combination.")),
    ];

    internal static Reply All(string name, Dictionary<string, string> map) => Reply.Object(200, w => w.Map(name, map));

    private static Route Change(string action, Func<Flavor, string, string[]> change) => new("POST", One + "/action", "compute:manage_flavors", async c =>
    {
        var read = new BodyReader(c.Body(action));
        var project = read.Required("tenant", 255);
        read.NothingElse();
        await Flavors.Load(c);
        if (!await Identity.Facade.Lives(c.Services, project)) throw Fault.BadRequest($"Project ID {(project.Length > 64 ? "" : project)} is not a valid project.");
        var f = await Flavors.Kind.Change(c, "compute:manage_flavors", d => d.Item = d.Item.IsPublic && c.From(7) && action == "addTenantAccess" ? throw Fault.Conflict("Can not add access to a public flavor.") : d.Item with { Projects = change(d.Item, project) });
        return Access(f);
    })
    { Action = action };

    private static Reply Access(Flavor f) => Reply.Object(200, w => w.Objects("flavor_access", f.Projects, p => { w.WriteString("flavor_id", f.Id); w.WriteString("tenant_id", p); }));

    private static async ValueTask<Dictionary<string, string>> Set(Call c, Action<Dictionary<string, string>> change)
    {
        await Flavors.Load(c);
        return (await Flavors.Kind.Change(c, "compute:manage_flavors", d =>
        {
            var specs = new Dictionary<string, string>(d.Item.ExtraSpecs);
            change(specs);
            d.Item = d.Item with { ExtraSpecs = specs };
        })).ExtraSpecs;
    }

    private static Dictionary<string, string> Read(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) throw Fault.BadRequest("Invalid input for field/attribute extra_specs: it must be an object.");
        var specs = new Dictionary<string, string>();
        foreach (var p in body.EnumerateObject())
        {
            if (p.Name.Length is 0 or > 255 || !p.Name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '-' or '_' or ':' or '.' or ' ')) throw Fault.BadRequest("Invalid input for field/attribute extra_specs: keys have 1 to 255 letters, digits, '-', '_', ':', '.' or blanks.");
            specs[p.Name] = p.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number && p.Value.ToString() is { Length: <= 255 } v ? v : throw Fault.BadRequest("Invalid input for field/attribute extra_specs: values are strings of at most 255 characters.");
        }
        return specs;
    }

    private static Fault Missing(Call c) => new(404, $"Flavor {c.Args["id"]} has no extra specs with key {(c.Args["key"].Length > 60 ? "" : c.Args["key"])}.");
}
