using System.Text.Json;

namespace Cloud.Platform.Rest;

/// <summary>The query's <c>fields</c>: clients name what they want to see of each resource.</summary>
public static class Shown
{
    /// <summary>The names; null when nothing was said, which means all.</summary>
    public static HashSet<string>? Only(Call c)
    {
        HashSet<string>? only = null;
        foreach (var (key, value) in c.Query)
            if (key == "fields") foreach (var field in value.Split(',')) (only ??= []).Add(field);
        return only;
    }

    /// <summary>Writes those of an object's members that are among <paramref name="only"/>.</summary>
    public static void Write(Utf8JsonWriter w, HashSet<string> only, Action<Utf8JsonWriter> whole)
    {
        using var all = new MemoryStream();
        using (var writer = new Utf8JsonWriter(all)) whole(writer);
        using var read = JsonDocument.Parse(all.GetBuffer().AsMemory(0, (int)all.Length));
        w.WriteStartObject();
        foreach (var p in read.RootElement.EnumerateObject())
            if (only.Contains(p.Name)) p.WriteTo(w);
        w.WriteEndObject();
    }
}
