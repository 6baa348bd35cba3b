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
        var bytes = new byte[Most + 1];
        var n = await c.Stream!.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, c.Cancelled);
        if (n > Most) throw S3Dialect.Malformed();
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(bytes, 0, n), new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return XElement.Load(reader);
        }
        catch (XmlException) { throw S3Dialect.Malformed(); }
    }
}
