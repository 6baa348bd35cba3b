using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>A size of server. Memory in MiB, disks in GiB, swap in MiB.</summary>
public sealed record Flavor : Resource
{
    [Field(In.Create, Nullable = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value ?? ""; }
    [Field(Sort = true, WriteOnly = true), JsonIgnore] public string Flavorid => Id;
    [Field(In.Create, Required = true, Sort = true), Length(1, 255)] public string Name { get; init; } = "";
    [Field(In.Create, Required = true, Detail = true, Sort = true, Wire = "ram"), Range(1, int.MaxValue)] public int Ram { get; init; }
    [Field(Sort = true, WriteOnly = true), JsonIgnore] public int MemoryMb => Ram;
    [Field(In.Create, Required = true, Detail = true, Sort = true), Range(1, 1024)] public int Vcpus { get; init; }
    [Field(In.Create, Required = true, Detail = true, Sort = true), Range(0, 1 << 20)] public int Disk { get; init; }
    [Field(Sort = true, WriteOnly = true), JsonIgnore] public int RootGb => Disk;
    [Field(In.Create, Detail = true, Sort = true, Wire = "OS-FLV-EXT-DATA:ephemeral"), Range(0, 1 << 20)] public int Ephemeral { get; init; }
    [Field(In.Create, WriteOnly = true, Sort = true), Range(0, 1 << 20)] public int Swap { get; init; }
    [Field(In.Create, Detail = true, Nullable = true), Range(0.001, 1e38)] public double? RxtxFactor { get; init => field = value ?? 1.0; } = 1.0;
    [Field(Detail = true, Wire = "OS-FLV-DISABLED:disabled")] public bool Disabled { get; init; }
    [Field(In.Create, Detail = true, Wire = "os-flavor-access:is_public")] public bool IsPublic { get; init; } = true;
    [Field(In.Both, Since = "2.55", Nullable = true, Detail = true), MaxLength(65535)] public string? Description { get; init; }
    public Dictionary<string, string> ExtraSpecs { get; init; } = [];
    /// <summary>Projects that may use one that isn't public.</summary>
    public string[] Projects { get; init; } = [];
}

/// <summary>https://docs.openstack.org/api-ref/compute/#flavors</summary>
public static class Flavors
{
    public static readonly Rows<Flavor> Rows = new("flavor", "compute") { Global = true };

    public static readonly Kind<Flavor> Kind = new(Rows, "flavors", "/v2.1/flavors", ComputeDialect.Value)
    {
        Sees = "authenticated",
        Check = async (c, d) =>
        {
            if (d.Old is not null) return;
            var (id, name) = (d.Item.Id is "auto" or "" ? c.Services.Ids.New() : d.Item.Id, d.Item.Name);
            if (id.Length > 255 || id.Trim() != id || !id.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '.' or '-' or '_' or ' ')) throw Fault.BadRequest("Invalid input for field/attribute id: letters, digits, '.', '-', '_' and blanks inside make an id.");
            if (name.Trim() != name || name.Any(char.IsControl)) throw Fault.BadRequest("Invalid input for field/attribute name: it must not begin or end with a blank, nor hold control characters.");
            if ((await Rows.InProject(c.Store, "", c.Cancelled)).Any(f => f.Id == id || f.Name == name)) throw Fault.Conflict($"Flavor with name {name} or ID {id} already exists.");
            // Held by its name as well, so that two at once can't both have it.
            d.Ops.Add(new Op.Insert(NameKey(name), default));
            d.Item = d.Item with { Id = id };
        },
        CheckDelete = (_, d) =>
        {
            d.Ops.Add(new Op.Delete(NameKey(d.Item.Name)));
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, f, detail) =>
        {
            if (detail)
            {
                if (f.Swap == 0 && !c.From(75)) w.WriteString("swap", ""); else w.WriteNumber("swap", f.Swap);
                if (c.From(61)) w.Map("extra_specs", f.ExtraSpecs);
            }
            else if (c.From(55)) w.WriteString("description", f.Description);
            ComputeDialect.Links(w, c, "flavors", f.Id);
        },
    };

    public static readonly Route[] Routes =
    [
        List("", detail: false), List("/detail", detail: true),
        new("POST", "/v2.1/flavors", "compute:manage_flavors", async c =>
        {
            var body = c.Body("flavor");
            BodyReader.Only(c, "flavor");
            return Kind.One1(c, 200, await Kind.Create(c, "compute:manage_flavors", TextId(body), null));
        }),
        new("GET", "/v2.1/flavors/{id}", "authenticated", async c => Kind.One1(c, 200, (await Load(c)).Item)),
        Kind.Update("compute:manage_flavors") with { Since = "2.55" }, Kind.Delete("compute:manage_flavors", status: 202),
        .. FlavorExtras.Routes,
    ];

    /// <summary>One that the caller may use, by its id or a link that ends with it.</summary>
    public static async ValueTask<Flavor?> Find(Call c, string reference) =>
        (await Rows.Get(c.Store, "", reference[(reference.LastIndexOf('/') + 1)..], c.Cancelled))?.Item is { } f && Visible(c, f) ? f : null;

    /// <summary>The flavor that the path names.</summary>
    /// <exception cref="Fault">404, also for one of other projects.</exception>
    public static async ValueTask<Loaded<Flavor>> Load(Call c) =>
        await Rows.Get(c.Store, "", c.Args["id"], c.Cancelled) is { } f && Visible(c, f.Item) ? f : throw Fault.NotFound("flavor", c.Args["id"]);

    public static async ValueTask Bootstrap(Services s)
    {
        if ((await Rows.InProject(s.Store, "")).Count > 0) return;
        Flavor[] first = [Made("1", "m1.tiny", 1, 128, 1), Made("2", "m1.small", 1, 512, 5), Made("3", "m1.medium", 2, 2048, 20), Made("4", "m1.large", 4, 8192, 80)];
        Flavor Made(string id, string name, int vcpus, int ram, int disk) => new() { Id = id, Name = name, Vcpus = vcpus, Ram = ram, Disk = disk, CreatedAt = s.Now, Revision = 1 };
        // All in one write: a start that is killed must not leave some for good.
        await Rows.Save(s, first[0], null, new("bootstrap", ""), [.. first[1..].Select(f => new Op.Insert(Rows.Key(f.Id), Json.Write(f))), .. first.Select(f => new Op.Insert(NameKey(f.Name), default))]);
    }

    private static string NameKey(string name) => "flavor_name|" + Keys.Safe(name);

    private static bool Visible(Call c, Flavor f) => f.IsPublic || c.Allows("compute:see_flavors", default) || (c.User?.ProjectId is { } project && f.Projects.Contains(project));

    private static Route List(string tail, bool detail) => new("GET", "/v2.1/flavors" + tail, "authenticated", async c =>
    {
        int Least(string name) => c.First(name) is not { } text ? 0 : int.TryParse(text, System.Globalization.NumberStyles.None, null, out var n) ? n : throw Fault.BadRequest($"Invalid {name} filter [{(text.Length > 40 ? text[..40] : text)}]");
        var (ram, disk) = (Least("minRam"), Least("minDisk"));
        // Administrators see what the public sees, unless they ask for others.
        bool? wanted = !c.Allows("compute:see_flavors", default) || c.First("is_public") is not { } asked ? true
            : asked.Equals("none", StringComparison.OrdinalIgnoreCase) ? null : Lenient.Boolean(asked) ?? throw Fault.BadRequest($"Invalid is_public filter [{(asked.Length > 40 ? asked[..40] : asked)}]");
        var (items, page) = await Kind.Select(c, "authenticated", (call, f) =>
            f.Ram >= ram && f.Disk >= disk && (wanted is null || f.IsPublic == wanted || (wanted == true && call.User?.ProjectId is { } p && f.Projects.Contains(p))));
        return Kind.Page1(c, items, page, detail);
    });

    // Clients may write an id that is a number without quotes.
    private static JsonElement TextId(JsonElement body)
    {
        if (!body.TryGetProperty("id", out var id) || id.ValueKind != JsonValueKind.Number) return body;
        var copy = System.Text.Json.Nodes.JsonObject.Create(body)!;
        copy["id"] = id.GetRawText();
        return JsonSerializer.SerializeToElement(copy);
    }
}
