using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Platform.Events;

/// <summary>A CloudEvents 1.0 event of one state change, on its way through the outbox.</summary>
public static class CloudEvent
{
    public const string Queue = "events";

    /// <summary>
    /// Type <c>cloud.serverless.SERVICE.KIND.VERB</c>; subject is the resource's id; data holds project, actor, request id, revision and the resource
    /// after and before. Secret properties never reach it; those for operators alone are apart, in data.operator, and tenants never get that.
    /// </summary>
    public static Message Of<T>(Services s, string service, string kind, string verb, T after, T? before, Change change) where T : Resource
    {
        var id = s.Ids.New();
        var data = new JsonObject
        {
            ["project_id"] = after.ProjectId, ["actor"] = change.Actor, ["request_id"] = change.RequestId, ["revision"] = after.Revision,
        };
        Hidden.Write(data, "after", verb == "deleted" ? null : after);
        Hidden.Write(data, "before", before);
        var json = new JsonObject
        {
            ["specversion"] = "1.0", ["id"] = id, ["source"] = $"/{service}", ["type"] = $"cloud.serverless.{service}.{kind}.{verb}",
            ["subject"] = after.Id, ["time"] = s.Now.UtcDateTime.ToString("O"), ["datacontenttype"] = "application/json", ["data"] = data,
        };
        return new(Queue, id, JsonSerializer.SerializeToUtf8Bytes(json), Session: after.Id);
    }

    /// <summary>Something an operator should look at: type <c>cloud.serverless.alert.NAME</c>, data holds the text and, where there is one, the project.</summary>
    public static Message Alert(Services s, string name, string subject, string project, string text)
    {
        var id = s.Ids.New();
        var json = new JsonObject
        {
            ["specversion"] = "1.0", ["id"] = id, ["source"] = "/cloud", ["type"] = $"cloud.serverless.alert.{name}", ["subject"] = subject,
            ["time"] = s.Now.UtcDateTime.ToString("O"), ["datacontenttype"] = "application/json", ["data"] = new JsonObject { ["project_id"] = project, ["text"] = text },
        };
        return new(Queue, id, JsonSerializer.SerializeToUtf8Bytes(json), Session: "alert|" + subject);
    }
}

/// <summary>Marks a property whose value must not leave in events, logs or histories.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

/// <summary>Marks a property that tells operators how the cloud works inside; tenants don't see it in events.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OperatorOnlyAttribute : Attribute;

internal static class Hidden
{
    public static void Write<T>(JsonObject data, string side, T? item) where T : Resource
    {
        data[side] = null;
        if (item is null) return;
        var json = JsonSerializer.SerializeToNode(item, Json.Stored)!.AsObject();
        foreach (var name in Names<T>.Secret) if (json.ContainsKey(name)) json[name] = "***";
        if (data["operator"] is not JsonObject apart) data["operator"] = apart = [];
        var inside = new JsonObject();
        foreach (var name in Names<T>.Operator) if (json.Remove(name, out var value)) inside[name] = value;
        (data[side], apart[side]) = (json, inside);
    }

    private static class Names<T>
    {
        public static readonly string[] Secret = [.. typeof(T).GetProperties().Where(p => Attribute.IsDefined(p, typeof(SecretAttribute))).Select(p => p.Name)];
        // What the API shows to some alone is not for all in events either.
        public static readonly string[] Operator =
            [.. typeof(T).GetProperties().Where(p => Attribute.IsDefined(p, typeof(OperatorOnlyAttribute)) || p.GetCustomAttribute<FieldAttribute>() is { Policy: not null }).Select(p => p.Name)];
    }
}
