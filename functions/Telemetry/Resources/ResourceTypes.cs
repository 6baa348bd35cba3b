using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>https://gnocchi.osci.io/rest.html#resource-types</summary>
internal static class ResourceTypes
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v1/resource_type", "metric:get_definitions", async c => ArchivePolicies.Many(await All(c.Store, c.Cancelled), (w, t) => t.Write(w))),
        new("POST", "/v1/resource_type", "metric:define", async c =>
        {
            var type = ResourceTypeBody.Create(Bodies.Of(c), c.Now);
            if (type.IsGeneric || !await Definitions.Insert(c.Store, Definitions.Type(type.Name), type, c.Cancelled)) throw Fault.Conflict($"Resource type {type.Name} already exists");
            return Reply.Of(201, type.Write).With("Location", $"{c.BaseUrl}/v1/resource_type/{Uri.EscapeDataString(type.Name)}");
        }),
        new("GET", "/v1/resource_type/{name}", "metric:get_definitions", async c => { var type = await Load(c.Store, c.Args["name"], c.Cancelled); return Reply.Of(200, type.Write); }),
        new("PATCH", "/v1/resource_type/{name}", "metric:define", async c =>
        {
            var (type, tag) = await Changeable(c);
            var patched = ResourceTypeBody.Patch(type, Bodies.Of(c, "application/json-patch+json"), c.Now);
            await c.Store.Commit(Definitions.Partition, [new Op.Replace(Definitions.Type(type.Name), Json.Write(patched), tag)], ct: c.Cancelled);
            return Reply.Of(200, patched.Write);
        }),
        new("DELETE", "/v1/resource_type/{name}", "metric:define", async c =>
        {
            var (type, tag) = await Changeable(c);
            await foreach (var r in Catalogue.Resources(c.Store, null, c.Cancelled))
                if (r.Type == type.Name) throw Fault.BadRequest($"Resource type {type.Name} is still in use");
            await c.Store.Commit(Definitions.Partition, [new Op.Delete(Definitions.Type(type.Name), tag)], ct: c.Cancelled);
            return Reply.Empty(204);
        }),
    ];

    public static async ValueTask<IReadOnlyList<ResourceType>> All(IEntityStore store, CancellationToken ct) => [ResourceType.Generic, .. await Definitions.All<ResourceType>(store, "type", ct)];

    public static async ValueTask<ResourceType> Load(IEntityStore store, string name, CancellationToken ct, int status = 404) => name == "generic" ? ResourceType.Generic
        : (await Definitions.Find<ResourceType>(store, Definitions.Type(name), ct))?.Item ?? throw Wrong.NoType(name, status);

    private static async ValueTask<(ResourceType, string)> Changeable(Call c) =>
        c.Args["name"] == "generic" ? throw new Fault(403, "The resource type generic is part of the service")
        : await Definitions.Find<ResourceType>(c.Store, Definitions.Type(c.Args["name"]), c.Cancelled) ?? throw Wrong.NoType(c.Args["name"]);
}
