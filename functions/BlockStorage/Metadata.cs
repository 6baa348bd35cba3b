using System.Text.Json;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.BlockStorage;

/// <summary>Metadata of volumes and snapshots: https://docs.openstack.org/api-ref/block-storage/v3/#volume-metadata</summary>
public static class Metadata
{
    private const int Most = 128;

    public static Route[] Routes<T>(Kind<T> kind, Func<T, Dictionary<string, string>> get, Func<T, Dictionary<string, string>, T> set) where T : Resource, new()
    {
        var path = kind.Path + "/{id}/metadata";
        Fault Missing(Call c) => new(404, $"{char.ToUpperInvariant(kind.One[0])}{kind.One[1..]} {c.Args["id"]} has no metadata with key {c.Args["key"]}.");
        async ValueTask<Dictionary<string, string>> Put(Call c, Dictionary<string, string> given, bool replace) => get(await kind.Change(c, "volume:update", d =>
        {
            var now = replace ? given : new Dictionary<string, string>(get(d.Item).Concat(given).GroupBy(m => m.Key, m => m.Value).ToDictionary(g => g.Key, g => g.Last()));
            Check(now);
            d.Item = set(d.Item, now);
        }));
        return
        [
            new("GET", path, "volume:get", async c => All(get((await kind.Load(c, "volume:get")).Item))),
            new("POST", path, "volume:update", async c => All(await Put(c, Read(c.Json, "metadata"), replace: false))),
            new("PUT", path, "volume:update", async c => All(await Put(c, Read(c.Json, "metadata"), replace: true))),
            new("GET", path + "/{key}", "volume:get", async c => One(c, get((await kind.Load(c, "volume:get")).Item).TryGetValue(c.Args["key"], out var value) ? value : throw Missing(c))),
            new("PUT", path + "/{key}", "volume:update", async c =>
            {
                var meta = Read(c.Json, "meta");
                if (meta.Count > 1) throw Fault.BadRequest("Request body contains too many items.");
                if (!meta.TryGetValue(c.Args["key"], out var value)) throw Fault.BadRequest("Request body and URI mismatch.");
                await Put(c, meta, replace: false);
                return One(c, value);
            }),
            new("DELETE", path + "/{key}", "volume:update", async c =>
            {
                await kind.Change(c, "volume:update", d =>
                {
                    var rest = new Dictionary<string, string>(get(d.Item));
                    if (!rest.Remove(c.Args["key"])) throw Missing(c);
                    d.Item = set(d.Item, rest);
                });
                return Reply.Empty(200);
            }),
        ];
    }

    /// <summary>The strings under <paramref name="name"/>.</summary>
    /// <exception cref="Fault">400.</exception>
    public static Dictionary<string, string> Read(JsonElement body, string name)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty(name, out var given) || given.ValueKind != JsonValueKind.Object) throw Fault.BadRequest($"Invalid input for field/attribute {name}: it must be an object.");
        if (body.EnumerateObject().FirstOrDefault(p => p.Name != name) is { Value.ValueKind: not JsonValueKind.Undefined } other) throw Fault.BadRequest($"Additional properties are not allowed ('{Volumes.Short(other.Name)}' was unexpected)");
        var read = new Dictionary<string, string>();
        foreach (var p in given.EnumerateObject()) read[p.Name] = p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : throw Fault.BadRequest($"Invalid input for field/attribute {name}: values must be strings.");
        Check(read);
        return read;
    }

    /// <exception cref="Fault">400 for a key or value of a wrong length, 413 for too many.</exception>
    public static void Check(Dictionary<string, string> metadata)
    {
        foreach (var (key, value) in metadata)
        {
            if (key.Length == 0 || key.Trim() != key && key.Trim().Length == 0) throw Fault.BadRequest("Invalid metadata: Metadata property key blank.");
            if (key.Length > 255) throw Fault.BadRequest("Invalid metadata: Metadata property key greater than 255 characters.");
            if (value.Length > 255) throw Fault.BadRequest("Invalid metadata: Metadata property value greater than 255 characters.");
        }
        if (metadata.Count > Most) throw new Fault(413, $"MetadataLimitExceeded: Maximum number of metadata items exceeds {Most}.");
    }

    /// <summary>Whether all entries of a filter such as <c>{'key': 'value'}</c> are there.</summary>
    /// <exception cref="Fault">400 when it isn't one.</exception>
    public static bool Matches(Dictionary<string, string> metadata, string filter)
    {
        try
        {
            // Clients send Python's way to write a dictionary.
            using var json = JsonDocument.Parse(filter.Replace("u'", "'", StringComparison.Ordinal).Replace('\'', '"'));
            return json.RootElement.EnumerateObject().All(p => metadata.TryGetValue(p.Name, out var value) && value == p.Value.ToString());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Fault.BadRequest("Invalid filter: metadata must be a dictionary.");
        }
    }

    public static Reply All(Dictionary<string, string> metadata) => Reply.Object(200, w => w.Map("metadata", metadata));

    private static Reply One(Call c, string value) => Reply.Object(200, w => w.Map("meta", [new(c.Args["key"], value)]));
}
