using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>A user's public key. Lives with the user, whatever the project.</summary>
public sealed record Keypair : Resource
{
    public string Name { get; init; } = "";
    public string PublicKey { get; init; } = "";
    public string Fingerprint { get; init; } = "";
    public string Type { get; init; } = "ssh";
}

/// <summary>https://docs.openstack.org/api-ref/compute/#keypairs-keypairs</summary>
public static class Keypairs
{
    // The partition is the user's, not a project's; names are ids.
    private static readonly Rows<Keypair> Rows = new("keypair", "compute");

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.1/os-keypairs", "compute:keypairs", async c =>
        {
            var all = (await Rows.InProject(c.Store, Owner(c), c.Cancelled)).OrderBy(k => k.Name, StringComparer.Ordinal).ToList();
            return Reply.Of(200, w =>
            {
                w.WriteStartObject();
                w.WriteStartArray("keypairs");
                foreach (var k in all) { w.WriteStartObject(); w.WritePropertyName("keypair"); Write(w, c, k, false, null); w.WriteEndObject(); }
                w.WriteEndArray();
                w.WriteEndObject();
            });
        }),
        new("POST", "/v2.1/os-keypairs", "compute:keypairs", Create),
        new("GET", "/v2.1/os-keypairs/{name}", "compute:keypairs", async c => { var k = await Load(c); return Reply.Of(200, w => { w.WriteStartObject(); w.WritePropertyName("keypair"); Write(w, c, k.Item, true, null); w.WriteEndObject(); }); }),
        new("DELETE", "/v2.1/os-keypairs/{name}", "compute:keypairs", async c =>
        {
            await Rows.Remove(c.Services, await Load(c), Change.By(c), ct: c.Cancelled);
            return Reply.Empty(c.From(2) ? 204 : 202);
        }),
    ];

    public static async ValueTask<Keypair?> Get(Call c, string name) => (await Rows.Get(c.Store, c.Caller.UserId, name, c.Cancelled))?.Item;

    private static string Owner(Call c)
    {
        if (c.First("user_id") is not { } user || user == c.Caller.UserId) return c.Caller.UserId;
        c.Require("admin", default);
        return user;
    }

    private static async ValueTask<Loaded<Keypair>> Load(Call c) => await Rows.Get(c.Store, Owner(c), c.Args["name"], c.Cancelled) ?? throw new Fault(404, $"Keypair {c.Args["name"]} not found for user {Owner(c)}");

    private static async ValueTask<Reply> Create(Call c)
    {
        var read = new BodyReader(c.Body("keypair"));
        var name = read.Required("name", 255);
        if (!name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '-' or '_' or ' ' or '.' or '@' or ':')) throw Fault.BadRequest("Keypair data is invalid: Keypair name contains unsafe characters");
        var (given, type, user) = (read.Text("public_key", 16384), read.Text("type", 10) ?? "ssh", read.Text("user_id", 255));
        read.NothingElse();
        if (type != "ssh") throw Fault.BadRequest("Invalid input for field/attribute type: only ssh is offered.");
        if (user is not null && user != c.Caller.UserId) c.Require("admin", default);
        if (given is null && c.From(92)) throw Fault.BadRequest("Invalid input for field/attribute keypair. 'public_key' is a required property");
        if ((await Rows.InProject(c.Store, user ?? c.Caller.UserId, c.Cancelled)).Count >= 100) throw new Fault(403, "Quota exceeded, too many key pairs.");
        string? secret = null;
        if (given is null)
        {
            using var rsa = RSA.Create(2048);
            (secret, given) = (rsa.ExportRSAPrivateKeyPem() + "\n", OpenSsh(rsa));
        }
        var blob = Blob(given) ?? throw Fault.BadRequest("Keypair data is invalid: failed to generate fingerprint");
#pragma warning disable CA5351 // the API's fingerprint is MD5 by definition
        var print = string.Join(':', MD5.HashData(blob).Select(b => b.ToString("x2", null)));
#pragma warning restore CA5351
        var key = new Keypair { Id = name, ProjectId = user ?? c.Caller.UserId, Name = name, PublicKey = given.Trim(), Fingerprint = print, CreatedAt = c.Now };
        try { await Rows.Save(c.Services, key, null, Change.By(c), ct: c.Cancelled); }
        catch (ConflictException) { throw Fault.Conflict($"Key pair '{name}' already exists."); }
        return Reply.Of(c.From(2) ? 201 : 200, w => { w.WriteStartObject(); w.WritePropertyName("keypair"); Write(w, c, key, false, secret); w.WriteEndObject(); });
    }

    private static void Write(Utf8JsonWriter w, Call c, Keypair k, bool show, string? secret)
    {
        w.WriteStartObject();
        w.WriteString("name", k.Name);
        w.WriteString("public_key", k.PublicKey);
        w.WriteString("fingerprint", k.Fingerprint);
        if (c.From(2)) w.WriteString("type", k.Type);
        if (secret is not null) w.WriteString("private_key", secret);
        if (show || secret is not null || c.Method == "POST") w.WriteString("user_id", k.ProjectId);
        if (show)
        {
            w.WriteBoolean("deleted", false);
            w.WriteString("created_at", ComputeDialect.Value.Time(k.CreatedAt)[..^1] + ".000000");
            w.WriteNull("updated_at");
            w.WriteNull("deleted_at");
            w.WriteNumber("id", 1);
        }
        w.WriteEndObject();
    }

    // RFC 4253, 6.6: the blob begins with its own type, and nothing but one line gets into the guest.
    private static byte[]? Blob(string key)
    {
        if (key.Trim() is var line && line.Contains('\n', StringComparison.Ordinal)) return null;
        var parts = line.Split(' ', 3);
        if (parts.Length < 2 || !(parts[0].StartsWith("ssh-", StringComparison.Ordinal) || parts[0].StartsWith("ecdsa-", StringComparison.Ordinal) || parts[0].StartsWith("sk-", StringComparison.Ordinal))) return null;
        var blob = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], blob, out var n) || n < 8) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(blob);
        return length < n && Encoding.ASCII.GetString(blob, 4, (int)length) == parts[0] ? blob[..n] : null;
    }

    private static string OpenSsh(RSA rsa)
    {
        var p = rsa.ExportParameters(false);
        using var blob = new MemoryStream();
        void Put(ReadOnlySpan<byte> bytes, bool number)
        {
            var pad = number && bytes[0] >= 0x80 ? 1 : 0;
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length + pad);
            blob.Write(length);
            if (pad == 1) blob.WriteByte(0);
            blob.Write(bytes);
        }
        Put("ssh-rsa"u8, false);
        Put(p.Exponent, true);
        Put(p.Modulus, true);
        return "ssh-rsa " + Convert.ToBase64String(blob.ToArray()) + " Generated-by-Nova";
    }
}
