using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#service-providers</summary>
public static class ServiceProviders
{
    public static readonly Rows<ServiceProvider> Rows = new("service_provider", "identity") { Global = true };

    private static readonly Kind<ServiceProvider> Kind = new(Rows, "service_providers", "/v3/OS-FEDERATION/service_providers", IdentityDialect.Value)
    {
        Sees = "identity:get_service_provider",
        Check = async (c, d) =>
        {
            if (d.Old is null) await ChosenIds.MustBeFree(c, Rows, d.Item.Id);
            Directory.ForgetsTokens(c, d);
        },
        CheckDelete = (c, d) =>
        {
            Directory.ForgetsTokens(c, d);
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, p, _) => IdentityDialect.SelfLink(w, c, "OS-FEDERATION/service_providers", p.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_service_providers"), ChosenIds.Put(Kind, "identity:create_service_provider"), Kind.Show("identity:get_service_provider"),
        Kind.Update("identity:update_service_provider"), Kind.Delete("identity:delete_service_provider"),
    ];
}
