using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>Settings of one domain, in groups of options: https://docs.openstack.org/api-ref/identity/v3/#domain-configuration</summary>
public static class DomainConfigs
{
    private const string Partition = "cloud", Path = "/v3/domains/{id}/config";

    // What an operator of Keystone may set for a domain, with its defaults. This cloud keeps users itself, so it reads none of it yet.
    private static readonly JsonObject Defaults = new()
    {
        ["identity"] = new JsonObject { ["driver"] = "sql", ["list_limit"] = null },
        ["ldap"] = new JsonObject
        {
            ["url"] = "ldap://localhost", ["user"] = null, ["suffix"] = "cn=example,cn=com", ["query_scope"] = "one", ["page_size"] = 0,
            ["user_tree_dn"] = null, ["user_filter"] = null, ["user_objectclass"] = "inetOrgPerson", ["user_id_attribute"] = "cn", ["user_name_attribute"] = "sn",
            ["group_tree_dn"] = null, ["group_filter"] = null, ["group_objectclass"] = "groupOfNames", ["use_tls"] = false,
        },
    };

    public static readonly Route[] Routes =
    [
        new("GET", "/v3/domains/config/default", "identity:get_domain_config_default", _ => new(Reply.Of(200, Wrap(Defaults.DeepClone())))),
        new("GET", "/v3/domains/config/{group}/default", "identity:get_domain_config_default", c => new(Reply.Of(200, Wrap(Part(c, Defaults))))),
        new("GET", "/v3/domains/config/{group}/{option}/default", "identity:get_domain_config_default", c => new(Reply.Of(200, Wrap(Part(c, Defaults))))),
        new("PUT", Path, "identity:create_domain_config", async c =>
        {
            var config = Sent(c);
            var had = await Load(c) is not null;
            await Save(c, config);
            return Reply.Of(had ? 200 : 201, Wrap(config));
        }),
        new("GET", Path + "/security_compliance", "identity:get_security_compliance_domain_config", c => new(Reply.Of(200, Wrap(new JsonObject { ["security_compliance"] = Compliance(c) })))),
        new("GET", Path + "/security_compliance/{option}", "identity:get_security_compliance_domain_config", c => new(Reply.Of(200, Wrap(new JsonObject { [c.Args["option"]] = Option(c) })))),
        .. Level(""), .. Level("/{group}"), .. Level("/{group}/{option}"),
    ];

    public static ValueTask Remove(Call c, string domain) => c.Store.Commit(Partition, [new Op.Delete(Key(domain))]);

    private static Route[] Level(string tail) =>
    [
        new("GET", Path + tail, "identity:get_domain_config", async c => Reply.Of(200, Wrap(Part(c, await Need(c))))),
        new("PATCH", Path + tail, "identity:update_domain_config", async c =>
        {
            var config = await Need(c);
            Part(c, config); // what isn't there can't be updated
            var sent = c.Args.ContainsKey("option") ? Checked(new() { [c.Args["group"]] = JsonObject.Create(c.Body("config")) }) : Sent(c);
            if (c.Args.TryGetValue("group", out var only) && (sent.Count != 1 || !sent.ContainsKey(only) || c.Args.TryGetValue("option", out var one) && !(sent[only]!.AsObject() is { Count: 1 } o && o.ContainsKey(one))))
                throw Fault.BadRequest("Invalid domain config: the body must hold what the path names, and nothing else.");
            foreach (var (group, options) in sent)
                foreach (var (option, value) in options!.AsObject())
                    (config[group] ??= new JsonObject())[option] = value?.DeepClone();
            await Save(c, config);
            return Reply.Of(200, Wrap(config));
        }),
        new("DELETE", Path + tail, "identity:delete_domain_config", async c =>
        {
            var config = await Need(c);
            Part(c, config);
            if (c.Args.TryGetValue("option", out var option)) config[c.Args["group"]]!.AsObject().Remove(option);
            else if (c.Args.TryGetValue("group", out var group)) config.Remove(group);
            else config.Clear();
            if (config.Count == 0) await Remove(c, c.Args["id"]); else await Save(c, config);
            return Reply.Empty(204);
        }),
    ];

    // What users must know to choose a password; a domain can't change it.
    private static JsonObject Compliance(Call c)
    {
        if (c.Args["id"] != "default") throw new Fault(403, "Reading security compliance information for any domain other than the default domain is not allowed or supported.");
        var rules = c.Services.Settings.Passwords;
        return new() { ["password_regex"] = rules.PasswordRegex, ["password_regex_description"] = rules.PasswordRegexDescription };
    }

    private static JsonNode? Option(Call c) =>
        Compliance(c).TryGetPropertyValue(c.Args["option"], out var value) ? value?.DeepClone() : throw new Fault(403, "Reading security compliance values other than password_regex and password_regex_description is not allowed.");

    private static JsonObject Wrap(JsonNode config) => new() { ["config"] = config };

    private static JsonObject Part(Call c, JsonObject config)
    {
        if (!c.Args.TryGetValue("group", out var group)) return (JsonObject)config.DeepClone();
        if (!Defaults.ContainsKey(group)) throw new Fault(403, $"Group {group} is not supported for domain specific configurations.");
        var options = config[group]?.AsObject() ?? throw Fault.NotFound("group", group);
        if (!c.Args.TryGetValue("option", out var option)) return new() { [group] = options.DeepClone() };
        return options.TryGetPropertyValue(option, out var value) ? new() { [option] = value?.DeepClone() } : throw Fault.NotFound("option", option);
    }

    private static JsonObject Sent(Call c) => Checked(JsonObject.Create(c.Body("config"))!);

    private static JsonObject Checked(JsonObject config)
    {
        if (config.Count == 0) throw new Fault(403, "The domain configuration is empty.");
        foreach (var (group, options) in config)
        {
            if (!Defaults.TryGetPropertyValue(group, out var known)) throw new Fault(403, $"Group {group} is not supported for domain specific configurations.");
            foreach (var (option, value) in options as JsonObject ?? throw Fault.BadRequest($"Invalid domain config: {group} must be an object of options."))
                if (!known!.AsObject().ContainsKey(option) || value is JsonObject or JsonArray) throw new Fault(403, $"Option {option} in group {group} is not supported for domain specific configurations.");
        }
        return config;
    }

    private static async ValueTask<JsonObject?> Load(Call c)
    {
        await Directory.Need(c, Directory.Domains, c.Args["id"]);
        return await c.Store.Get(Partition, Key(c.Args["id"])) is { } row ? JsonNode.Parse(row.Body.Span)!.AsObject() : null;
    }

    private static async ValueTask<JsonObject> Need(Call c) => await Load(c) ?? throw new Fault(404, $"Could not find domain configuration for {c.Args["id"]}.");

    private static ValueTask Save(Call c, JsonObject config) => c.Store.Commit(Partition, [new Op.Upsert(Key(c.Args["id"]), JsonSerializer.SerializeToUtf8Bytes(config))]);

    private static string Key(string domain) => "domain-config|" + Keys.Safe(domain);
}
