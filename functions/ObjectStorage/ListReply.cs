using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>A listing as text, JSON or XML.</summary>
internal static class ListReply
{
    public static Reply Of(ListFormat format, string root, string name, IReadOnlyList<string> names, Func<int, IReadOnlyList<(string Key, object Value)>> line, string kind) => format switch
    {
        ListFormat.Json => new() { Status = 200, ContentType = "application/json; charset=utf-8", Json = w => Write(w, names.Count, line) },
        ListFormat.Xml => new() { Status = 200, ContentType = "application/xml; charset=utf-8", Text = Xml(root, name, names.Count, line, kind) },
        _ when names.Count == 0 => Reply.Empty(204).With("Content-Type", SwiftDialect.Plain),
        _ => new() { Status = 200, ContentType = SwiftDialect.Plain, Text = string.Join('\n', names) + "\n" },
    };

    private static void Write(Utf8JsonWriter w, int count, Func<int, IReadOnlyList<(string Key, object Value)>> line)
    {
        w.WriteStartArray();
        for (var i = 0; i < count; i++)
        {
            w.WriteStartObject();
            foreach (var (key, value) in line(i))
                if (value is long n) w.WriteNumber(key, n);
                else if (value is bool b) w.WriteBoolean(key, b);
                else w.WriteString(key, (string)value);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    private static string Xml(string root, string name, int count, Func<int, IReadOnlyList<(string Key, object Value)>> line, string kind) => XmlText.Of(root, w =>
    {
        w.WriteAttributeString("name", name);
        for (var i = 0; i < count; i++)
        {
            var members = line(i);
            if (members is [("subdir", string part)])
            {
                w.WriteStartElement("subdir");
                w.WriteAttributeString("name", part);
                w.WriteElementString("name", part);
            }
            else
            {
                w.WriteStartElement(kind);
                foreach (var (key, value) in members) w.WriteElementString(key, value is string s ? s : JsonSerializer.Serialize(value));
            }
            w.WriteEndElement();
        }
    });
}
