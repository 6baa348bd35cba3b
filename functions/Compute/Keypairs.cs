using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Compute;

/// <summary>https://docs.openstack.org/api-ref/compute/#keypairs-keypairs</summary>
public static class Keypairs
{
    // The partition is the user's, not a project's; names are ids.
    private static readonly Rows<Keypair> Rows = new("keypair", "compute");
    private const string Counted = "keypairs", One = "/v2.1/os-keypairs/{name}";

    public static readonly Route[] Routes =
    [
        new("GET", "/v2.1/os-keypairs", "compute:keypairs", List),
        new("POST", "/v2.1/os-keypairs", "compute:keypairs", Create),
        new("GET", One, "compute:keypairs", async c => { var k = (await Load(c)).Item; return Reply.Object(200, w => w.Object("keypair", () => Write(w, c, k, show: true))); }),
        new("DELETE", One, "compute:keypairs", async c =>
        {
            await Rows.Remove(c.Services, await Load(c), Change.By(c), ct: c.Cancelled);
            return Reply.Empty(c.From(2) ? 204 : 202);
        }),
    ];

    public static async ValueTask<Keypair?> Get(Call c, string name) => (await Rows.Get(c.Store, c.Caller.UserId, name, c.Cancelled))?.Item;

    /// <summary>A user is gone: so are his key pairs.</summary>
    public static async Task OnEvent(Services s, Event gone, CancellationToken ct)
    {
        if (gone.Type != "cloud.serverless.identity.user.deleted") return;
        foreach (var pair in await Rows.InProject(s.Store, gone.Subject, ct))
            if (await Rows.Get(s.Store, gone.Subject, pair.Id, ct) is { } there) await Rows.Remove(s, there, new("system", ""), ct: ct);
        await s.Store.Commit(gone.Subject, [new Op.Delete(Counted)], ct: ct);
    }

    // Since 2.10 an administrator may name another user.
    private static string Owner(Call c, string? asked)
    {
        if (asked is null || !c.From(10) || asked == c.Caller.UserId) return c.Caller.UserId;
        c.Require("admin", default);
        return asked;
    }

    private static async ValueTask<Loaded<Keypair>> Load(Call c) => await Rows.Get(c.Store, Owner(c, c.First("user_id")), c.Args["name"], c.Cancelled) ?? throw new Fault(404, $"Keypair {(c.Args["name"].Length > 60 ? "" : c.Args["name"])} not found for user {c.Caller.UserId}");

    private static async ValueTask<Reply> List(Call c)
    {
        var all = (await Rows.InProject(c.Store, Owner(c, c.First("user_id")), c.Cancelled)).OrderBy(k => k.Name, StringComparer.Ordinal).ToList();
        var limit = ComputeDialect.Value.MaxLimit;
        if (c.From(35))
        {
            if (c.First("limit") is { } text) limit = int.TryParse(text, System.Globalization.NumberStyles.None, null, out var n) ? Math.Min(n, limit) : throw Fault.BadRequest("Invalid input for query parameters limit.");
            if (c.First("marker") is { Length: > 0 } marker) all = all[((all.FindIndex(k => k.Name == marker) is >= 0 and var at ? at : throw Fault.BadRequest($"marker [{(marker.Length > 60 ? "" : marker)}] not found")) + 1)..];
        }
        var shown = all.Take(limit).ToList();
        return Reply.Object(200, w =>
        {
            w.Objects("keypairs", shown, k => w.Object("keypair", () => Write(w, c, k)));
            if (c.From(35)) ComputeDialect.Value.Links(w, c, new("keypairs", limit, all.Count > limit && limit > 0, shown.FirstOrDefault()?.Name, shown.LastOrDefault()?.Name));
        });
    }

    private static async ValueTask<Reply> Create(Call c)
    {
        var read = BodyReader.Only(c, "keypair");
        var name = read.Name("name") ?? throw Fault.BadRequest("Invalid input for field/attribute keypair. 'name' is a required property");
        if (!name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch is '-' or '_' or ' ' || (ch is '.' or '@' && c.From(92)))) throw Fault.BadRequest("Keypair data is invalid: Keypair name contains unsafe characters");
        var given = read.Text("public_key", 16384);
        var type = (c.From(2) ? read.Text("type", 10) : null) ?? "ssh";
        var owner = Owner(c, c.From(10) ? read.Text("user_id", 64) : null);
        read.NothingElse();
        if (type is not ("ssh" or "x509")) throw Fault.BadRequest("Invalid input for field/attribute type: it must be ssh or x509.");
        if (given is null && c.From(92)) throw Fault.BadRequest("Invalid input for field/attribute keypair. 'public_key' is a required property");
        var material = given is null ? KeyMaterial.Make(type, owner, c.Now) : KeyMaterial.Of(type, given);
        var key = new Keypair { Id = name, ProjectId = owner, Name = name, PublicKey = material.Public, Fingerprint = material.Fingerprint, Type = type, CreatedAt = c.Now };
        await Save(c, key);
        return Reply.Object(c.From(2) ? 201 : 200, w => w.Object("keypair", () => Write(w, c, key, secret: material.Private)));
    }

    // Its project says how many a user may have; a row beside the keys makes it hold for several at once.
    private static async ValueTask Save(Call c, Keypair key)
    {
        var most = c.User?.ProjectId is { } project ? (await Servers.Quota.LimitsOf(c.Store, project))["key_pairs"] : 100;
        for (var attempt = 0; ; attempt++)
        {
            var guard = await c.Store.Get(key.ProjectId, Counted, c.Cancelled);
            var there = await Rows.InProject(c.Store, key.ProjectId, c.Cancelled);
            if (there.Any(k => k.Name == key.Name)) throw Fault.Conflict($"Key pair '{key.Name}' already exists.");
            if (most >= 0 && there.Count >= most) throw new Fault(403, "Quota exceeded, too many key pairs.");
            var one = "1"u8.ToArray();
            try
            {
                await Rows.Save(c.Services, key, null, Change.By(c), [guard is null ? new Op.Insert(Counted, one) : new Op.Replace(Counted, one, guard.ETag)], ct: c.Cancelled);
                return;
            }
            catch (ConflictException) when (attempt < 20) { /* another of his keys came first */ }
        }
    }

    private static void Write(Utf8JsonWriter w, Call c, Keypair k, bool show = false, string? secret = null)
    {
        w.WriteString("name", k.Name);
        w.WriteString("public_key", k.PublicKey);
        w.WriteString("fingerprint", k.Fingerprint);
        if (c.From(2)) w.WriteString("type", k.Type);
        if (secret is not null) w.WriteString("private_key", secret);
        if (show || c.Method == "POST") w.WriteString("user_id", k.ProjectId);
        if (!show) return;
        w.WriteBoolean("deleted", false);
        w.WriteString("created_at", ComputeDialect.Micros(k.CreatedAt));
        w.WriteNull("updated_at");
        w.WriteNull("deleted_at");
        w.WriteNumber("id", ComputeDialect.Number(k.Name));
    }
}
