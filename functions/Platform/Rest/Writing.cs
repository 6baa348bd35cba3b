using System.Text.Json;

namespace Cloud.Platform.Rest;

/// <summary>Shorthand for the few shapes that all answers are made of.</summary>
public static class Writing
{
    public static void Object(this Utf8JsonWriter w, string name, Action members)
    {
        w.WriteStartObject(name);
        members();
        w.WriteEndObject();
    }

    public static void Array<T>(this Utf8JsonWriter w, string name, IEnumerable<T> items, Action<T> write)
    {
        w.WriteStartArray(name);
        foreach (var item in items) write(item);
        w.WriteEndArray();
    }

    /// <summary>A list whose elements are objects.</summary>
    public static void Objects<T>(this Utf8JsonWriter w, string name, IEnumerable<T> items, Action<T> members) => w.Array(name, items, item =>
    {
        w.WriteStartObject();
        members(item);
        w.WriteEndObject();
    });

    public static void Strings(this Utf8JsonWriter w, string name, IEnumerable<string> items) => w.Array(name, items, w.WriteStringValue);

    public static void Map(this Utf8JsonWriter w, string name, IEnumerable<KeyValuePair<string, string>> entries) => w.Object(name, () =>
    {
        foreach (var (key, value) in entries) w.WriteString(key, value);
    });

    /// <summary>The links of one resource, as Nova and Cinder write them.</summary>
    public static void Links(this Utf8JsonWriter w, params (string Rel, string Href)[] links) => w.Objects("links", links, l =>
    {
        w.WriteString("rel", l.Rel);
        w.WriteString("href", l.Href);
    });
}
