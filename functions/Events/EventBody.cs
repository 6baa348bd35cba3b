using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Cloud.Events;

/// <summary>An entry as readers get it: the event with its place in their log (CloudEvents' sequence extension).</summary>
internal static class EventBody
{
    public const string Batch = "application/cloudevents-batch+json", One = "application/cloudevents+json";

    /// <param name="all">For a reader of the whole cloud's log; tenants get their own numbers, and nothing that is for operators.</param>
    public static void Write(Utf8JsonWriter w, LogEntry entry, bool all)
    {
        w.WriteStartObject();
        foreach (var p in entry.Event!.Value.EnumerateObject())
        {
            if (all || p.Name != "data") { p.WriteTo(w); continue; }
            w.WriteStartObject("data");
            foreach (var d in p.Value.EnumerateObject()) if (d.Name != "operator") d.WriteTo(w);
            w.WriteEndObject();
        }
        w.WriteString("sequence", Text(NumberOf(entry, all)));
        w.WriteEndObject();
    }

    public static ReadOnlyMemory<byte> Of(LogEntry entry, bool all)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var w = new Utf8JsonWriter(buffer)) Write(w, entry, all);
        return buffer.WrittenMemory;
    }

    public static long NumberOf(LogEntry entry, bool all) => all ? entry.Number : entry.ProjectNumber;

    /// <summary>A number as cursors show it.</summary>
    public static string Text(long number) => number.ToString("D16", CultureInfo.InvariantCulture);

    public static bool TryRead(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
