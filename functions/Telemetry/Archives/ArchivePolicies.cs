using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>https://gnocchi.osci.io/rest.html#archive-policy and #archive-policy-rule</summary>
internal static class ArchivePolicies
{
    public static readonly Route[] Routes =
    [
        new("GET", "/v1/archive_policy", "metric:get_definitions", async c => Many(await Definitions.All<ArchivePolicy>(c.Store, "policy", c.Cancelled), (w, p) => p.Write(w))),
        new("POST", "/v1/archive_policy", "metric:define", Create),
        new("GET", "/v1/archive_policy/{name}", "metric:get_definitions", async c => { var (p, _) = await Load(c); return Reply.Of(200, p.Write); }),
        new("PATCH", "/v1/archive_policy/{name}", "metric:define", Update),
        new("DELETE", "/v1/archive_policy/{name}", "metric:define", Delete),
        new("GET", "/v1/archive_policy_rule", "metric:get_definitions", async c => Many(await Definitions.Rules(c.Store, c.Cancelled), (w, r) => r.Write(w))),
        new("POST", "/v1/archive_policy_rule", "metric:define", CreateRule),
        new("GET", "/v1/archive_policy_rule/{name}", "metric:get_definitions", async c => { var (r, _) = await LoadRule(c); return Reply.Of(200, r.Write); }),
        new("PATCH", "/v1/archive_policy_rule/{name}", "metric:define", RenameRule),
        new("DELETE", "/v1/archive_policy_rule/{name}", "metric:define", async c =>
        {
            var (rule, tag) = await LoadRule(c);
            await c.Store.Commit(Definitions.Partition, [new Op.Delete(Definitions.Rule(rule.Name), tag)], ct: c.Cancelled);
            return Reply.Empty(204);
        }),
    ];

    public static Reply Many<T>(IEnumerable<T> items, Action<System.Text.Json.Utf8JsonWriter, T> write) => Reply.Of(200, w =>
    {
        w.WriteStartArray();
        foreach (var item in items) write(w, item);
        w.WriteEndArray();
    });

    private static async ValueTask<(ArchivePolicy, string)> Load(Call c) => await Definitions.Find<ArchivePolicy>(c.Store, Definitions.Policy(c.Args["name"]), c.Cancelled) ?? throw Wrong.NoPolicy(c.Args["name"]);

    private static async ValueTask<(ArchivePolicyRule, string)> LoadRule(Call c) => await Definitions.Find<ArchivePolicyRule>(c.Store, Definitions.Rule(c.Args["name"]), c.Cancelled) ?? throw Wrong.NoRule(c.Args["name"]);

    private static async ValueTask<Reply> Create(Call c)
    {
        var policy = ArchivePolicyBody.Create(Bodies.Of(c));
        if (!await Definitions.Insert(c.Store, Definitions.Policy(policy.Name), policy, c.Cancelled)) throw Fault.Conflict($"Archive policy {policy.Name} already exists");
        return Reply.Of(201, policy.Write).With("Location", $"{c.BaseUrl}/v1/archive_policy/{Uri.EscapeDataString(policy.Name)}");
    }

    /// <summary>Only how long points are kept can change: what is stored is of these spans.</summary>
    private static async ValueTask<Reply> Update(Call c)
    {
        var (policy, tag) = await Load(c);
        var body = Bodies.Of(c);
        Bodies.Keys(body, [], ["definition"], []);
        var asked = ArchivePolicyBody.Definition(body);
        Fault No(string why) => Fault.BadRequest($"Archive policy {policy.Name} does not support change: {why}");
        if (asked.Length != policy.Definition.Length) throw No("Cannot add or drop granularities");
        if (policy.Definition.OrderBy(d => d.Granularity).Zip(asked.OrderBy(d => d.Granularity)).FirstOrDefault(p => p.First.Granularity != p.Second.Granularity) is { First: { } old, Second: { } other })
            throw No($"{Numbers.Text((double)old.Granularity / Times.Second)} granularity interval was changed to {Numbers.Text((double)other.Granularity / Times.Second)}");
        policy = policy with { Definition = asked };
        await c.Store.Commit(Definitions.Partition, [new Op.Replace(Definitions.Policy(policy.Name), Json.Write(policy), tag)], ct: c.Cancelled);
        return Reply.Of(200, policy.Write);
    }

    private static async ValueTask<Reply> Delete(Call c)
    {
        var (policy, tag) = await Load(c);
        var used = (await Definitions.Rules(c.Store, c.Cancelled)).Any(r => r.Policy == policy.Name);
        if (!used) await foreach (var m in Catalogue.Metrics(c.Store, null, c.Cancelled)) if (m.Policy == policy.Name) { used = true; break; }
        if (used) throw Fault.BadRequest($"Archive policy {policy.Name} is still in use");
        await c.Store.Commit(Definitions.Partition, [new Op.Delete(Definitions.Policy(policy.Name), tag)], ct: c.Cancelled);
        return Reply.Empty(204);
    }

    private static async ValueTask<Reply> CreateRule(Call c)
    {
        var body = Bodies.Of(c);
        Bodies.Keys(body, [], ["name", "metric_pattern", "archive_policy_name"], []);
        var rule = new ArchivePolicyRule { Name = Bodies.Text(body, "name", 255), Pattern = Bodies.Text(body, "metric_pattern", 255), Policy = Bodies.Text(body, "archive_policy_name", 255) };
        if (await Definitions.Find<ArchivePolicy>(c.Store, Definitions.Policy(rule.Policy), c.Cancelled) is not var (_, tag)) throw Wrong.NoPolicy(rule.Policy, 400);
        try { await c.Store.Commit(Definitions.Partition, [new Op.Check(Definitions.Policy(rule.Policy), tag), new Op.Insert(Definitions.Rule(rule.Name), Json.Write(rule))], ct: c.Cancelled); }
        catch (ConflictException e) when (e.Key == Definitions.Rule(rule.Name)) { throw Fault.Conflict($"Archive policy rule {rule.Name} already exists"); }
        return Reply.Of(201, rule.Write).With("Location", $"{c.BaseUrl}/v1/archive_policy_rule/{Uri.EscapeDataString(rule.Name)}");
    }

    private static async ValueTask<Reply> RenameRule(Call c)
    {
        var (rule, tag) = await LoadRule(c);
        var body = Bodies.Of(c);
        Bodies.Keys(body, [], ["name"], []);
        var renamed = rule with { Name = Bodies.Text(body, "name", 255) };
        var (from, to) = (Definitions.Rule(rule.Name), Definitions.Rule(renamed.Name));
        if (from == to) return Reply.Of(200, rule.Write);
        try { await c.Store.Commit(Definitions.Partition, [new Op.Insert(to, Json.Write(renamed)), new Op.Delete(from, tag)], ct: c.Cancelled); }
        catch (ConflictException e) when (e.Key == to) { throw Fault.BadRequest($"Archive policy rule {rule.Name} does not support change: Archive policy rule {renamed.Name} already exists."); }
        return Reply.Of(200, renamed.Write);
    }
}
