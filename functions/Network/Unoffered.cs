using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>What Neutron documents and this cloud doesn't have: 501, or an empty list where clients only look. None of it is among the extensions.</summary>
public static class Unoffered
{
    private static readonly string[] Collections =
    [
        "address-groups", "bgp-peers", "bgp-speakers", "bgpvpn/bgpvpns", "default-security-group-rules", "flavors", "floatingip_pools", "fwaas/firewall_groups", "fwaas/firewall_policies", "fwaas/firewall_rules", "local_ips", "log/logs",
        "log/loggable-resources", "metering/metering-labels", "metering/metering-label-rules", "ndp_proxies", "network_segment_ranges", "qos/rule-types", "security-groups-default-statefulness", "segments",
        "service_profiles", "sfc/flow_classifiers", "sfc/port_chains", "sfc/port_pairs", "sfc/port_pair_groups", "sfc/service_graphs", "taas/tap_flows", "taas/tap_mirrors", "taas/tap_services", "vpn/endpoint-groups", "vpn/ikepolicies",
        "vpn/ipsecpolicies", "vpn/ipsec-site-connections", "vpn/vpnservices", "auto-allocated-topology", "qos/alias_bandwidth_limit_rules", "qos/alias_dscp_marking_rules", "qos/alias_minimum_bandwidth_rules", "qos/alias_minimum_packet_rate_rules",
    ];

    public static readonly Route[] Routes =
    [
        .. Empty("subnetpools", "subnetpools"), .. Empty("address-scopes", "address_scopes"), .. Empty("rbac-policies", "rbac_policies"), .. Empty("trunks", "trunks"), .. Empty("qos/policies", "policies"), .. Empty("service-providers", "service_providers"),
        .. Collections.SelectMany(path => All($"/v2.0/{path}", "GET", "POST")), .. Collections.SelectMany(path => All($"/v2.0/{path}/{{id}}", "GET", "PUT", "DELETE")), .. Collections.SelectMany(path => All($"/v2.0/{path}/{{id}}/{{rest*}}", "GET", "POST", "PUT", "DELETE")),
        .. All("/v2.0/agents/{id}", "PUT", "DELETE"), .. All("/v2.0/agents/{id}/dhcp-networks", "GET", "POST"), .. All("/v2.0/agents/{id}/dhcp-networks/{network}", "DELETE"), .. All("/v2.0/agents/{id}/l3-routers", "GET", "POST"),
        .. All("/v2.0/agents/{id}/l3-routers/{router}", "DELETE"), .. All("/v2.0/agents/{id}/bgp-drinstances", "GET", "POST"), .. All("/v2.0/agents/{id}/bgp-drinstances/{speaker}", "DELETE"),
        .. All("/v2.0/networks/{id}/dhcp-agents", "GET"), .. All("/v2.0/routers/{id}/l3-agents", "GET"), .. All("/v2.0/floatingips/{id}/port_forwardings", "GET", "POST"), .. All("/v2.0/floatingips/{id}/port_forwardings/{forwarding}", "GET", "PUT", "DELETE"),
        .. All("/v2.0/ports/{id}/bindings", "GET", "POST"), .. All("/v2.0/ports/{id}/bindings/{host}", "DELETE"), .. All("/v2.0/ports/{id}/bindings/{host}/activate", "PUT"),
        .. All("/v2.0/routers/{id}/conntrack_helpers", "GET", "POST"), .. All("/v2.0/routers/{id}/conntrack_helpers/{helper}", "GET", "PUT", "DELETE"),
        .. All("/v2.0/routers/{id}/add_external_gateways", "PUT"), .. All("/v2.0/routers/{id}/update_external_gateways", "PUT"), .. All("/v2.0/routers/{id}/remove_external_gateways", "PUT"),
    ];

    private static IEnumerable<Route> All(string path, params string[] methods) =>
        methods.Select(m => Route.Missing(m, path, path.Contains("agents", StringComparison.Ordinal) ? "network:get_agents" : "authenticated", "This part of the networking API is not offered by this cloud; see the list of extensions."));

    // Clients look here before they go on: there is none of it, and making one is refused.
    private static IEnumerable<Route> Empty(string path, string name) =>
    [
        new("GET", "/v2.0/" + path, "authenticated", _ => new(Reply.Object(200, w => w.Strings(name, [])))),
        .. All("/v2.0/" + path, "POST"),
        .. ((string[])["GET", "PUT", "DELETE"]).Select(m => new Route(m, $"/v2.0/{path}/{{id}}", "authenticated", c => throw Fault.NotFound(name, c.Args["id"]))),
        .. All($"/v2.0/{path}/{{id}}/{{rest*}}", "GET", "POST", "PUT", "DELETE"),
    ];
}
