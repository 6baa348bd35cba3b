using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>What every project gets of a resource of a service unless a <see cref="Limit"/> says otherwise.</summary>
public sealed record RegisteredLimit : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Filter = true, Required = true)] public string ServiceId { get; init; } = "";
    [Field(In.Both, Filter = true, Nullable = true)] public string? RegionId { get; init; }
    [Field(In.Both, Filter = true, Required = true), Length(1, 255)] public string ResourceName { get; init; } = "";
    [Field(In.Both, Required = true), Range(-1, int.MaxValue)] public int DefaultLimit { get; init; }
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
}

/// <summary>What one project or domain gets.</summary>
public sealed record Limit : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Create, Filter = true, Nullable = true, Wire = "project_id")] public string? Project { get; init; }
    [Field(In.Create, Filter = true, Nullable = true)] public string? DomainId { get; init; }
    [Field(In.Create, Filter = true, Required = true)] public string ServiceId { get; init; } = "";
    [Field(In.Create, Filter = true, Nullable = true)] public string? RegionId { get; init; }
    [Field(In.Create, Filter = true, Required = true), Length(1, 255)] public string ResourceName { get; init; } = "";
    [Field(In.Both, Required = true), Range(-1, int.MaxValue)] public int ResourceLimit { get; init; }
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    /// <summary>Domain of the project, for rules.</summary>
    public string? Within { get; init; }
}

/// <summary>Unified limits, flat model: https://docs.openstack.org/api-ref/identity/v3/#unified-limits</summary>
public static class Limits
{
    public static readonly Rows<RegisteredLimit> Registered = new("registered_limit", "identity") { Global = true };
    public static readonly Rows<Limit> Rows = new("limit", "identity") { Global = true };

    private static readonly Kind<RegisteredLimit> RegisteredKind = new(Registered, "registered_limits", "/v3/registered_limits", IdentityDialect.Value)
    {
        Sees = "authenticated",
        Check = async (c, d) =>
        {
            var r = d.Item;
            if (await Directory.Get(c, Endpoints.Services, r.ServiceId) is null) throw Fault.BadRequest($"Could not find service: {r.ServiceId}.");
            if (r.RegionId is { } region && await Directory.Get(c, Regions.Rows, region) is null) throw Fault.BadRequest($"Could not find region: {region}.");
            if (d.Old is not null && await Overrides(c, d.Old)) throw new Fault(403, $"Unable to update registered limit {r.Id} because there are project limits associated with it.");
            await Directory.ClaimName(c, d, Registered, KeyOf(r), d.Old is null ? null : KeyOf(d.Old));
        },
        CheckDelete = async (c, d) =>
        {
            var r = d.Item;
            if (await Overrides(c, r)) throw new Fault(403, $"Unable to delete registered limit {r.Id} because there are project limits associated with it.");
            d.After.Add(() => Claims.Free(c.Store, Registered.Name, KeyOf(r), r.Id));
        },
        Extend = (w, c, r, _) => IdentityDialect.SelfLink(w, c, "registered_limits", r.Id),
    };

    private static readonly Kind<Limit> Kind = new(Rows, "limits", "/v3/limits", IdentityDialect.Value)
    {
        Sees = "identity:get_limit",
        TargetOf = l => new(l.Project, null, l.DomainId ?? l.Within),
        Check = async (c, d) =>
        {
            var l = d.Item;
            if (d.Old is not null) return;
            if ((l.Project is null) == (l.DomainId is null)) throw Fault.BadRequest("A limit is for either a project or a domain.");
            if (l.DomainId is { } domain) await Directory.Need(c, Directory.Domains, domain);
            d.Item = l = l with { Within = l.Project is { } p ? (await Directory.Need(c, Directory.Projects, p)).DomainId : null };
            if (!(await Registered.InProject(c.Store, "")).Any(r => (r.ServiceId, r.RegionId, r.ResourceName) == (l.ServiceId, l.RegionId, l.ResourceName)))
                throw new Fault(403, $"Unable to create a limit that has no corresponding registered limit.");
            await Directory.ClaimName(c, d, Rows, KeyOf(l), null);
        },
        CheckDelete = (c, d) =>
        {
            var l = d.Item;
            d.After.Add(() => Claims.Free(c.Store, Rows.Name, KeyOf(l), l.Id));
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, l, _) => IdentityDialect.SelfLink(w, c, "limits", l.Id),
    };

    public static readonly Route[] Routes =
    [
        RegisteredKind.List("identity:list_registered_limits"), Several(RegisteredKind, "identity:create_registered_limits"), RegisteredKind.Show("identity:get_registered_limit"),
        RegisteredKind.Update("identity:update_registered_limit"), RegisteredKind.Delete("identity:delete_registered_limit"),
        Kind.List("identity:list_limits"), Several(Kind, "identity:create_limits"),
        new("GET", "/v3/limits/model", "identity:get_limit_model", _ => new(Reply.Of(200, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("model");
            w.WriteString("name", "flat");
            w.WriteString("description", "Limit enforcement and validation does not take project hierarchy into consideration.");
            w.WriteEndObject();
            w.WriteEndObject();
        }))),
        Kind.Show("identity:get_limit"), Kind.Update("identity:update_limit"), Kind.Delete("identity:delete_limit"),
    ];

    // These collections are filled several at a time; one that is refused takes those before it back.
    private static Route Several<T>(Kind<T> kind, string policy) where T : Resource, new() => new("POST", kind.Path, policy, async c =>
    {
        if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty(kind.Many, out var bodies) || bodies.ValueKind != JsonValueKind.Array || bodies.GetArrayLength() is 0 or > 100)
            throw Fault.BadRequest($"Invalid input: the body must be an object that holds 1 to 100 '{kind.Many}'.");
        var made = new List<T>();
        try
        {
            foreach (var body in bodies.EnumerateArray()) made.Add(await kind.Create(c, policy, body, null));
        }
        catch
        {
            foreach (var item in made) await kind.Delete(c, policy, null, item.Id);
            throw;
        }
        return Reply.Of(201, w =>
        {
            w.WriteStartObject();
            w.WriteStartArray(kind.Many);
            foreach (var item in made) kind.WriteItem(w, c, item);
            w.WriteEndArray();
            IdentityDialect.Value.Links(w, c, new(kind.Many, 0, false, null, null));
            w.WriteEndObject();
        });
    });

    public static string KeyOf(RegisteredLimit r) => $"{r.ServiceId}:{r.RegionId}:{r.ResourceName}";
    public static string KeyOf(Limit l) => $"{l.Project ?? l.DomainId}:{l.ServiceId}:{l.RegionId}:{l.ResourceName}";

    private static async ValueTask<bool> Overrides(Call c, RegisteredLimit r) =>
        (await Rows.InProject(c.Store, "")).Any(l => (l.ServiceId, l.RegionId, l.ResourceName) == (r.ServiceId, r.RegionId, r.ResourceName));
}
