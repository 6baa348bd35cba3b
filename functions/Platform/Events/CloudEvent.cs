using System.Buffers;
using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
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
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var w = new Utf8JsonWriter(buffer))
        {
            w.WriteStartObject();
            w.WriteString("specversion", "1.0");
            w.WriteString("id", id);
            w.WriteString("source", $"/{service}");
            w.WriteString("type", $"cloud.serverless.{service}.{kind}.{verb}");
            w.WriteString("subject", after.Id);
            w.WriteString("time", s.Now.UtcDateTime.ToString("O"));
            w.WriteString("datacontenttype", "application/json");
            w.WriteStartObject("data");
            w.WriteString("project_id", after.ProjectId);
            w.WriteString("actor", change.Actor);
            w.WriteString("request_id", change.RequestId);
            w.WriteNumber("revision", after.Revision);
            (string Side, byte[]? Json)[] sides = [("after", verb == "deleted" ? null : Json.WriteWhole(after)), ("before", before is null ? null : Json.WriteWhole(before))];
            foreach (var (side, json) in sides) Hidden.Write<T>(w, side, json, operators: false);
            w.WriteStartObject("operator");
            foreach (var (side, json) in sides) if (json is not null) Hidden.Write<T>(w, side, json, operators: true);
            w.WriteEndObject();
            w.WriteEndObject();
            w.WriteEndObject();
        }
        return new(Queue, id, buffer.WrittenMemory, Session: after.Id);
    }

    /// <summary>Something an operator should look at: type <c>cloud.serverless.alert.NAME</c>, data holds the text and, where there is one, the project.</summary>
    public static Message Alert(Services s, string name, string subject, string project, string text) =>
        new Announcement("/cloud", $"cloud.serverless.alert.{name}").Of(s, s.Ids.New(), subject, new() { ["project_id"] = project, ["text"] = text }, "alert|" + subject);
}

/// <summary>Marks a property whose value must not leave in events, logs or histories.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

/// <summary>Marks a property that tells operators how the cloud works inside; tenants don't see it in events.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OperatorOnlyAttribute : Attribute;

internal static class Hidden
{
    /// <summary>A stored resource without what is hidden, or only what operators alone may see. Copies the text: nothing is parsed into objects.</summary>
    public static void Write<T>(Utf8JsonWriter w, string side, byte[]? json, bool operators) where T : Resource
    {
        if (json is null) { w.WriteNull(side); return; }
        w.WriteStartObject(side);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (Names<T>.Operator.Contains(name) != operators) continue;
            w.WritePropertyName(name);
            if (Names<T>.Secret.Contains(name)) w.WriteStringValue("***");
            else w.WriteRawValue(json.AsSpan(start..(int)reader.BytesConsumed), skipInputValidation: true);
        }
        w.WriteEndObject();
    }

    private static class Names<T>
    {
        public static readonly FrozenSet<string> Secret = typeof(T).GetProperties().Where(p => Attribute.IsDefined(p, typeof(SecretAttribute))).Select(p => p.Name).ToFrozenSet();
        // What the API shows to some alone is not for all in events either.
        public static readonly FrozenSet<string> Operator =
            typeof(T).GetProperties().Where(p => Attribute.IsDefined(p, typeof(OperatorOnlyAttribute)) || p.GetCustomAttribute<FieldAttribute>() is { Policy: not null }).Select(p => p.Name).ToFrozenSet();
    }
}
