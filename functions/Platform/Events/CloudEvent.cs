using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Platform.Events;

/// <summary>A CloudEvents 1.0 event of one state change, on its way through the outbox.</summary>
public static class CloudEvent
{
    public const string Queue = "events";

    /// <summary>
    /// Type <c>cloud.serverless.SERVICE.KIND.VERB</c>; subject is the resource's id; data holds project, actor, request id and the resource after
    /// and before. Properties marked as secret never reach it.
    /// </summary>
    public static Message Of<T>(Services s, string service, string kind, string verb, T after, T? before, Change change) where T : Resource
    {
        var id = s.Ids.New();
        var data = new JsonObject
        {
            ["project_id"] = after.ProjectId, ["actor"] = change.Actor, ["request_id"] = change.RequestId, ["revision"] = after.Revision,
            ["after"] = verb == "deleted" ? null : Secrets.Masked(after),
            ["before"] = before is null ? null : Secrets.Masked(before),
        };
        var json = new JsonObject
        {
            ["specversion"] = "1.0", ["id"] = id, ["source"] = $"/{service}", ["type"] = $"cloud.serverless.{service}.{kind}.{verb}",
            ["subject"] = after.Id, ["time"] = s.Now.UtcDateTime.ToString("O"), ["datacontenttype"] = "application/json", ["data"] = data,
        };
        return new(Queue, id, JsonSerializer.SerializeToUtf8Bytes(json), Session: after.Id);
    }

    /// <summary>Something an operator should look at: type <c>cloud.serverless.alert.NAME</c>, data holds the text.</summary>
    public static Message Alert(Services s, string name, Resource about, string text)
    {
        var id = s.Ids.New();
        var json = new JsonObject
        {
            ["specversion"] = "1.0", ["id"] = id, ["source"] = "/cloud", ["type"] = $"cloud.serverless.alert.{name}", ["subject"] = about.Id,
            ["time"] = s.Now.UtcDateTime.ToString("O"), ["datacontenttype"] = "application/json",
            ["data"] = new JsonObject { ["project_id"] = about.ProjectId, ["text"] = text },
        };
        return new(Queue, id, JsonSerializer.SerializeToUtf8Bytes(json), Session: about.Id);
    }
}

/// <summary>Marks a property whose value must not leave in events, logs or histories.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

internal static class Secrets
{
    public static JsonNode Masked<T>(T item) where T : Resource
    {
        var json = JsonSerializer.SerializeToNode(item, Json.Stored)!.AsObject();
        foreach (var name in Names<T>.All) if (json.ContainsKey(name)) json[name] = "***";
        return json;
    }

    private static class Names<T>
    {
        public static readonly string[] All = [.. typeof(T).GetProperties().Where(p => Attribute.IsDefined(p, typeof(SecretAttribute))).Select(p => p.Name)];
    }
}
