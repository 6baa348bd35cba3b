using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>
/// OS-ENDPOINT-POLICY: which policy document is for which endpoint: one for itself, else for its service in its region or one above, else for its service.
/// https://docs.openstack.org/api-ref/identity/v3-ext/#os-endpoint-policy-api
/// </summary>
public static class EndpointPolicies
{
    private const string Partition = "cloud", Key = "endpoint-policies", Tail = "/OS-ENDPOINT-POLICY";

    /// <param name="Service">The service of all endpoints that it is for, <paramref name="Region"/> their region; null where it is for one endpoint.</param>
    internal sealed record Bound(string Policy, string? Endpoint, string? Service, string? Region);

    public static readonly Route[] Routes =
    [
        new("GET", "/v3/endpoints/{id}" + Tail + "/policy", "identity:get_policy_for_endpoint", async c =>
        {
            var endpoint = await Directory.Need(c, Endpoints.Rows, c.Args["id"]);
            var policy = For(endpoint, await All(c), await ParentsOf(c)) ?? throw Fault.NotFound("policy", $"for endpoint {endpoint.Id}");
            return Policies.Kind.One1(c, 200, await Directory.Need(c, Policies.Rows, policy));
        }),
        // As the reference has it, with a policy's id where the endpoint's belongs: the policy is shown.
        new("GET", "/v3/policies/{id}" + Tail + "/policy", "identity:get_policy", async c => Policies.Kind.One1(c, 200, (await Policies.Kind.Load(c, c.Route.Policy)).Item)),
        new("GET", "/v3/policies/{id}" + Tail + "/endpoints", "identity:list_endpoints_for_policy", async c =>
        {
            var policy = await Directory.Need(c, Policies.Rows, c.Args["id"]);
            var (all, parents) = (await All(c), await ParentsOf(c));
            return Endpoints.Kind.PageFrom(c, (await Endpoints.All(c)).Where(e => For(e, all, parents) == policy.Id));
        }),
        .. Binding("/endpoints/{endpoint}", "identity:check_policy_association_for_endpoint", "identity:create_policy_association_for_endpoint", "identity:delete_policy_association_for_endpoint"),
        .. Binding("/services/{service}", "identity:check_policy_association_for_service", "identity:create_policy_association_for_service", "identity:delete_policy_association_for_service"),
        .. Binding("/services/{service}/regions/{region}", "identity:check_policy_association_for_region_and_service", "identity:create_policy_association_for_region_and_service", "identity:delete_policy_association_for_region_and_service"),
    ];

    /// <summary>For the end of a policy, endpoint, service or region.</summary>
    internal static ValueTask Forget(Call c, Func<Bound, bool> gone) => Change(c, all => all.Where(b => !gone(b)));

    private static Route[] Binding(string path, string check, string create, string delete) =>
    [
        new("GET", "/v3/policies/{id}" + Tail + path, check, async c =>
        {
            var bound = await Named(c);
            return (await All(c)).Contains(bound) ? Reply.Empty(204) : throw new Fault(404, "No policy is associated with this.");
        }),
        new("PUT", "/v3/policies/{id}" + Tail + path, create, async c =>
        {
            var bound = await Named(c);
            await Change(c, all => all.Where(b => b with { Policy = bound.Policy } != bound).Append(bound));
            return Reply.Empty(204);
        }),
        new("DELETE", "/v3/policies/{id}" + Tail + path, delete, async c =>
        {
            var bound = await Named(c);
            await Change(c, all => all.Where(b => b != bound));
            return Reply.Empty(204);
        }),
    ];

    private static async ValueTask<Bound> Named(Call c)
    {
        var (endpoint, service, region) = (c.Args.GetValueOrDefault("endpoint"), c.Args.GetValueOrDefault("service"), c.Args.GetValueOrDefault("region"));
        if (endpoint is not null) await Directory.Need(c, Endpoints.Rows, endpoint);
        if (service is not null) await Directory.Need(c, Endpoints.Services, service);
        if (region is not null) await Directory.Need(c, Regions.Rows, region);
        return new((await Directory.Need(c, Policies.Rows, c.Args["id"])).Id, endpoint, service, region);
    }

    private static string? For(Endpoint e, IReadOnlyList<Bound> all, Dictionary<string, string?> parents)
    {
        if (all.FirstOrDefault(b => b.Endpoint == e.Id) is { } own) return own.Policy;
        for (var region = e.RegionId; region is not null; region = parents.GetValueOrDefault(region))
            if (all.FirstOrDefault(b => b.Service == e.ServiceId && b.Region == region) is { } near) return near.Policy;
        return all.FirstOrDefault(b => b.Service == e.ServiceId && b.Region is null)?.Policy;
    }

    private static async ValueTask<Dictionary<string, string?>> ParentsOf(Call c) => (await Regions.Rows.InProject(c.Store, "")).ToDictionary(r => r.Id, r => r.ParentRegionId);

    private static async ValueTask<IReadOnlyList<Bound>> All(Call c) => await c.Store.Get(Partition, Key) is { } row ? Json.Read<Bound[]>(row.Body) : [];

    // An operator's table of a few lines: one row, written as a whole.
    private static async ValueTask Change(Call c, Func<IReadOnlyList<Bound>, IEnumerable<Bound>> change)
    {
        while (true)
        {
            var row = await c.Store.Get(Partition, Key);
            Bound[] old = row is null ? [] : Json.Read<Bound[]>(row.Body), now = [.. change(old)];
            if (now.SequenceEqual(old)) return;
            try
            {
                await c.Store.Commit(Partition, [row is null ? new Op.Insert(Key, Json.Write(now)) : new Op.Replace(Key, Json.Write(now), row.ETag)]);
                return;
            }
            catch (ConflictException) { /* another line was written at the same moment: both stay */ }
        }
    }
}
