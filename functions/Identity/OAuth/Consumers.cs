using System.Buffers.Text;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>A program known to OAuth 1.0.</summary>
public sealed record Consumer : Resource
{
    [Field] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(In.Both, Nullable = true), MaxLength(4096)] public string? Description { get; init; }
    [Field(In.Both, Rest = true)] public Dictionary<string, JsonElement> Extra { get; init; } = [];
    [Secret] public string Secret { get; init; } = "";
}

/// <summary>https://docs.openstack.org/api-ref/identity/v3-ext/#consumers</summary>
public static class Consumers
{
    public static readonly Rows<Consumer> Rows = new("consumer", "identity") { Global = true };

    private static readonly Kind<Consumer> Kind = new(Rows, "consumers", "/v3/OS-OAUTH1/consumers", IdentityDialect.Value)
    {
        Sees = "identity:get_consumer",
        CheckDelete = async (c, d) =>
        {
            await AccessTokens.RemoveOf(c, t => t.ConsumerId == d.Item.Id);
            Directory.ForgetsTokens(c, d);
        },
        Extend = (w, c, x, _) => IdentityDialect.SelfLink(w, c, "OS-OAUTH1/consumers", x.Id),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("identity:list_consumers"), new("POST", Kind.Path, "identity:create_consumer", Create),
        Kind.Show("identity:get_consumer"), Kind.Update("identity:update_consumer"), Kind.Delete("identity:delete_consumer"),
    ];

    private static async ValueTask<Reply> Create(Call c)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var consumer = await Kind.Create(c, c.Route.Policy, c.Body("consumer"), null, d => { d.Item = d.Item with { Secret = secret }; return ValueTask.CompletedTask; });
        return (Kind with { Extend = (w, call, x, detail) => { w.WriteString("secret", secret); Kind.Extend!(w, call, x, detail); } }).One1(c, 201, consumer); // shown this once
    }
}
