using System.Text;
using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.Bulk;

/// <summary>What became of many things done by one request: counts and failures, in an answer whose own status is always 200.</summary>
/// <param name="root">The document's element in XML.</param>
internal sealed class BulkReport(string root, params string[] counted)
{
    private readonly Dictionary<string, long> _counts = counted.ToDictionary(name => name, _ => 0L);
    private readonly List<(string Name, string Status)> _errors = [];
    private readonly List<(string Name, string Value)> _said = [];

    public void Count(string name) => _counts[name]++;

    public void Failed(string name, Fault f) => _errors.Add((Place.Escape(name), Line(f.Status)));
    public void Failed(string name, string why) => _errors.Add((Place.Escape(name), why));
    public void Say(string name, string value) => _said.Add((name, value));

    /// <param name="good">Status when all went well and there was something to do.</param>
    /// <param name="nothing">What is said when there was nothing to do.</param>
    public Reply Reply(Call c, int good, string nothing)
    {
        var idle = _counts.Values.Sum() == 0;
        var status = Line(_errors.Count > 0 || idle ? 400 : good);
        return Reply(c, status, _errors.Count == 0 && idle ? nothing : "");
    }

    /// <summary>The work ended before its end.</summary>
    public Reply Broken(Call c, Fault f) => Reply(c, Line(f.Status), f.Message);

    /// <summary>Whatever was counted.</summary>
    public Reply Told(Call c, int status, string body) => Reply(c, Line(status), body);

    private Reply Reply(Call c, string status, string body) => ListQuery.FormatOf(c) switch
    {
        ListFormat.Json => Cloud.Platform.Rest.Reply.Object(200, w => Write(w, status, body)),
        ListFormat.Xml => new() { Status = 200, ContentType = "application/xml; charset=utf-8", Text = Xml(status, body) },
        _ => new() { Status = 200, ContentType = SwiftDialect.Plain, Text = Plain(status, body) },
    };

    private void Write(Utf8JsonWriter w, string status, string body)
    {
        foreach (var (name, n) in _counts) w.WriteNumber(name, n);
        foreach (var (name, value) in _said) w.WriteString(name, value);
        w.WriteString("Response Status", status);
        w.WriteString("Response Body", body);
        w.Array("Errors", _errors, e =>
        {
            w.WriteStartArray();
            w.WriteStringValue(e.Name);
            w.WriteStringValue(e.Status);
            w.WriteEndArray();
        });
    }

    private string Plain(string status, string body)
    {
        var text = new StringBuilder();
        foreach (var (name, n) in _counts) text.Append(name).Append(": ").Append(n).Append('\n');
        foreach (var (name, value) in _said) text.Append(name).Append(": ").Append(value).Append('\n');
        text.Append("Response Body: ").Append(body).Append("\nResponse Status: ").Append(status).Append("\nErrors:\n");
        foreach (var e in _errors) text.Append(e.Name).Append(", ").Append(e.Status).Append('\n');
        return text.ToString();
    }

    private string Xml(string status, string body) => XmlText.Of(root, w =>
    {
        foreach (var (name, n) in _counts) w.WriteElementString(Element(name), SwiftDialect.Number(n));
        foreach (var (name, value) in _said) w.WriteElementString(Element(name), value);
        w.WriteElementString("response_body", body);
        w.WriteElementString("response_status", status);
        w.WriteStartElement("errors");
        foreach (var e in _errors)
        {
            w.WriteStartElement("object");
            w.WriteElementString("name", e.Name);
            w.WriteElementString("status", e.Status);
            w.WriteEndElement();
        }
        w.WriteEndElement();
    });

    private static string Element(string name) => name.ToLowerInvariant().Replace(' ', '_');
    private static string Line(int status) => $"{status} {SwiftDialect.Title(status)}";
}
