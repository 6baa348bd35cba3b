using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>A size of server. Memory in MiB, disk in GiB.</summary>
public sealed record Flavor : Resource
{
    [Field(In.Create, Nullable = true)] public new string Id { get => base.Id; init => base.Id = value ?? ""; }
    [Field(In.Create, Required = true, Sort = true), Length(1, 255)] public string Name { get; init; } = "";
    [Field(In.Create, Required = true, Detail = true), Range(1, int.MaxValue)] public int Ram { get; init; }
    [Field(In.Create, Required = true, Detail = true), Range(1, 1024)] public int Vcpus { get; init; }
    [Field(In.Create, Detail = true, Required = true), Range(0, 1 << 20)] public int Disk { get; init; }
    [Field(In.Create, Detail = true, Wire = "OS-FLV-EXT-DATA:ephemeral"), Range(0, 0)] public int Ephemeral { get; init; }
    [Field(In.Create, WriteOnly = true, Wire = "swap"), Range(0, 0)] public int Swap { get; init; }
    [Field(In.Create, Detail = true, Nullable = true, Wire = "rxtx_factor")] public double? RxtxFactor { get; init; } = 1.0;
    [Field(Detail = true, Wire = "OS-FLV-DISABLED:disabled")] public bool Disabled { get; init; }
    [Field(In.Create, Detail = true, Wire = "os-flavor-access:is_public")] public bool IsPublic { get; init; } = true;
    [Field(In.Both, Since = "2.55", Nullable = true)] public string? Description { get; init; }
    public Dictionary<string, string> ExtraSpecs { get; init; } = [];
}

/// <summary>https://docs.openstack.org/api-ref/compute/#flavors</summary>
public static class Flavors
{
    public static readonly Rows<Flavor> Rows = new("flavor", "compute") { Global = true };

    private static readonly Kind<Flavor> Kind = new(Rows, "flavors", "/v2.1/flavors", ComputeDialect.Value)
    {
        Sees = "authenticated",
        Check = async (c, d) =>
        {
            if (d.Old is not null) return;
            var id = d.Item.Id is "auto" or "" ? c.Services.Ids.New() : d.Item.Id;
            if (id.Length > 255 || id.Trim() != id || !id.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '.' or '-' or '_' or ' ')) throw Fault.BadRequest("Invalid input for field/attribute id.");
            if ((await Rows.InProject(c.Store, "", c.Cancelled)).Any(f => f.Id == id || f.Name == d.Item.Name)) throw Fault.Conflict($"Flavor with name {d.Item.Name} or ID {id} already exists.");
            d.Item = d.Item with { Id = id };
        },
        Extend = (w, c, f, detail) =>
        {
            if (detail) w.WriteString("swap", "");
            if (detail && c.From(61)) { w.WriteStartObject("extra_specs"); foreach (var (k, v) in f.ExtraSpecs) w.WriteString(k, v); w.WriteEndObject(); }
            ComputeDialect.Links(w, c, "flavors", f.Id);
        },
    };

    private const string Specs = "/v2.1/flavors/{id}/os-extra_specs";

    public static readonly Route[] Routes =
    [
        Kind.List("authenticated", detail: false, where: Wanted), Kind.List("authenticated", "/detail", where: Wanted), Kind.Create("compute:manage_flavors", status: 200), Kind.Show("authenticated"),
        Kind.Update("compute:manage_flavors"), Kind.Delete("compute:manage_flavors", status: 202),
        new("GET", Specs, "authenticated", async c => All("extra_specs", (await Kind.Load(c, "authenticated")).Item.ExtraSpecs)),
        new("POST", Specs, "compute:manage_flavors", async c =>
        {
            var specs = new BodyReader(c.Json).Map("extra_specs");
            return All("extra_specs", (await Kind.Change(c, "compute:manage_flavors", d => d.Item = d.Item with { ExtraSpecs = Merge(d.Item.ExtraSpecs, specs) })).ExtraSpecs);
        }),
        new("GET", Specs + "/{key}", "authenticated", async c =>
        {
            var f = (await Kind.Load(c, "authenticated")).Item;
            return f.ExtraSpecs.TryGetValue(c.Args["key"], out var v) ? Reply.Of(200, w => { w.WriteStartObject(); w.WriteString(c.Args["key"], v); w.WriteEndObject(); }) : throw new Fault(404, $"Flavor {f.Id} has no extra specs with key {c.Args["key"]}.");
        }),
        new("DELETE", Specs + "/{key}", "compute:manage_flavors", async c =>
        {
            await Kind.Change(c, "compute:manage_flavors", d =>
            {
                var rest = new Dictionary<string, string>(d.Item.ExtraSpecs);
                if (!rest.Remove(c.Args["key"])) throw new Fault(404, $"Flavor {d.Item.Id} has no extra specs with key {c.Args["key"]}.");
                d.Item = d.Item with { ExtraSpecs = rest };
            });
            return Reply.Empty(200);
        }),
        new("GET", "/v2.1/flavors/{id}/os-flavor-access", "compute:manage_flavors", _ => throw new Fault(404, "Flavor access is not kept: all flavors are public.")),
    ];

    public static async ValueTask<Flavor?> Find(Call c, string reference)
    {
        var id = reference[(reference.LastIndexOf('/') + 1)..];
        return (await Rows.Get(c.Store, "", id, c.Cancelled))?.Item;
    }

    public static async ValueTask Bootstrap(Services s)
    {
        if ((await Rows.InProject(s.Store, "")).Count > 0) return;
        Flavor[] first = [Made("1", "m1.tiny", 1, 128, 1), Made("2", "m1.small", 1, 512, 5), Made("3", "m1.medium", 2, 2048, 20), Made("4", "m1.large", 4, 8192, 80)];
        Flavor Made(string id, string name, int vcpus, int ram, int disk) => new() { Id = id, Name = name, Vcpus = vcpus, Ram = ram, Disk = disk, CreatedAt = s.Now, Revision = 1 };
        // All in one write: a start that is killed must not leave some for good.
        await Rows.Save(s, first[0], null, new("bootstrap", ""), [.. first[1..].Select(f => new Op.Insert(Rows.Key(f.Id), Json.Write(f)))]);
    }

    private static bool Wanted(Call c, Flavor f) =>
        (c.First("minRam") is not { } r || f.Ram >= (int.TryParse(r, out var ram) ? ram : throw Fault.BadRequest("Invalid minRam filter"))) && (c.First("minDisk") is not { } k || f.Disk >= (int.TryParse(k, out var disk) ? disk : throw Fault.BadRequest("Invalid minDisk filter")));

    internal static Dictionary<string, string> Merge(Dictionary<string, string> old, Dictionary<string, string> more)
    {
        var all = new Dictionary<string, string>(old);
        foreach (var (k, v) in more) all[k] = v;
        return all;
    }

    internal static Reply All(string name, Dictionary<string, string> map) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WriteStartObject(name);
        foreach (var (k, v) in map) w.WriteString(k, v);
        w.WriteEndObject();
        w.WriteEndObject();
    });
}
