using System.Xml;
using System.Xml.Linq;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>Bodies that are XML.</summary>
internal static class S3Body
{
    private const int Most = 2 << 20;

    /// <exception cref="Fault">400.</exception>
    public static async ValueTask<XElement> Read(Call c)
    {
        var bytes = await WholeBody.Read(c.Stream!, Most, c.Cancelled) ?? throw S3Dialect.Malformed();
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(bytes.Array!, 0, bytes.Count), new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XElement.Load(reader);
        }
        catch (XmlException) { throw S3Dialect.Malformed(); }
    }
}
