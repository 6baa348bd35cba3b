using System.Xml.Linq;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>POST ?delete: up to a thousand keys at once.</summary>
internal static class MultiDelete
{
    private const int Most = 1000;

    public static async ValueTask<Reply> Run(Call c)
    {
        if (c.First("delete") is null) throw new Fault(405, "The specified method is not allowed against this resource.");
        var (place, _) = await Buckets.Open(c);
        var document = await S3Body.Read(c);
        var quiet = (string?)document.Element(document.Name.Namespace + "Quiet") == "true";
        var keys = document.Elements(document.Name.Namespace + "Object").Select(o => (Name: Text(o, "Key") ?? throw S3Dialect.Malformed(), Version: Text(o, "VersionId"))).ToList();
        if (keys.Count is 0 or > Most) throw S3Dialect.Malformed();
        var failed = new Dictionary<(string, string?), Fault>();
        foreach (var key in keys)
            try { await Keys.Remove(c, place with { Object = key.Name }, key.Version); }
            catch (Fault f) { failed[key] = f; }
        return S3Dialect.Xml("DeleteResult", w =>
        {
            foreach (var key in keys)
            {
                var f = failed.GetValueOrDefault(key);
                if (f is null && quiet) continue;
                w.WriteStartElement(f is null ? "Deleted" : "Error");
                w.WriteElementString("Key", key.Name);
                if (key.Version is { } version) w.WriteElementString("VersionId", version);
                if (f is not null)
                {
                    w.WriteElementString("Code", f.Kind ?? "InternalError");
                    w.WriteElementString("Message", f.Message);
                }
                w.WriteEndElement();
            }
        });
    }

    private static string? Text(XElement e, string name) => (string?)e.Element(e.Name.Namespace + name);
}
