using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>What this Neutron can do beyond its core; clients skip what isn't listed.</summary>
public static class Extensions
{
    private static readonly (string Alias, string Name)[] All =
    [
        ("agent", "agent"), ("allowed-address-pairs", "Allowed Address Pairs"), ("availability_zone", "Availability Zone"), ("binding", "Port Binding"), ("external-net", "Neutron external network"),
        ("ext-gw-mode", "Neutron L3 Configurable external gateway mode"), ("extraroute", "Neutron Extra Route"), ("extraroute-atomic", "Atomically add/remove extra routes"), ("net-mtu", "Network MTU"),
        ("network-ip-availability", "Network IP Availability"), ("network_availability_zone", "Network Availability Zone"), ("pagination", "Pagination support"), ("port-security", "Port Security"), ("project-id", "project_id field enabled"), ("provider", "Provider Network"),
        ("quotas", "Quota management support"), ("quota_details", "Quota details management support"), ("revision-if-match", "If-Match constraints based on revision_number"), ("router", "Neutron L3 Router"),
        ("security-group", "security-group"), ("sorting", "Sorting support"), ("standard-attr-description", "standard-attr-description"), ("standard-attr-revisions", "Resource revision numbers"),
        ("standard-attr-tag", "Tag support for resources with standard attribute"), ("standard-attr-timestamp", "Resource timestamps"), ("subnet_allocation", "Subnet Allocation"),
    ];

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.0/extensions", "authenticated", _ => new(Reply.Object(200, w => w.Objects("extensions", All, e => Write(w, e))))),
        new("GET", "/v2.0/extensions/{alias}", "authenticated", c =>
        {
            var found = Array.Find(All, e => e.Alias == c.Args["alias"]);
            return found.Alias is null ? throw new Fault(404, $"Extension with alias {(c.Args["alias"].Length > 60 ? "" : c.Args["alias"])} does not exist") { Kind = "ExtensionNotFound" } : new(Reply.Object(200, w => w.Object("extension", () => Write(w, found))));
        }),
    ];

    private static void Write(System.Text.Json.Utf8JsonWriter w, (string Alias, string Name) e)
    {
        w.WriteString("alias", e.Alias);
        w.WriteString("name", e.Name);
        w.WriteString("description", e.Name);
        w.WriteString("updated", "2016-01-01T10:00:00-00:00");
        w.Strings("links", []);
    }
}
