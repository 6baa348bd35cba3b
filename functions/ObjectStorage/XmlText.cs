using System.Text;
using System.Xml;

namespace Cloud.ObjectStorage;

/// <summary>Documents in XML. Names of objects may hold characters that XML has no place for; they are written as what they are.</summary>
internal static class XmlText
{
    /// <param name="space">The root's namespace, or none.</param>
    public static string Of(string root, Action<XmlWriter> members, string? space = null)
    {
        using var text = new MemoryStream();
        using (var w = XmlWriter.Create(text, new() { Encoding = new UTF8Encoding(false), CheckCharacters = false }))
        {
            w.WriteStartElement(root, space);
            members(w);
            w.WriteEndElement();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
