using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>A policy document that Keystone only keeps; nothing of this cloud reads it.</summary>
public sealed record PolicyDocument : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Required = true), Length(1, 65536)] public string Blob { get; init; } = "";
    [Field(In.Both, Filter = true, Required = true), Length(1, 255)] public string Type { get; init; } = "";
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
}

/// <summary>https://docs.openstack.org/api-ref/identity/v3/#policies</summary>
public static class Policies
{
    internal static readonly Rows<PolicyDocument> Rows = new("policy", "identity") { Global = true };

    internal static readonly Kind<PolicyDocument> Kind = new(Rows, "policies", "/v3/policies", IdentityDialect.Value)
    {
        Sees = "identity:get_policy",
        CheckDelete = (c, d) => EndpointPolicies.Forget(c, b => b.Policy == d.Item.Id),
        Extend = (w, c, p, _) => IdentityDialect.SelfLink(w, c, "policies", p.Id),
    };

    public static readonly Route[] Routes =
        [Kind.List("identity:list_policies"), Kind.Create("identity:create_policy"), Kind.Show("identity:get_policy"), Kind.Update("identity:update_policy"), Kind.Delete("identity:delete_policy")];
}
