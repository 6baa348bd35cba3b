using System.Globalization;
using System.Xml;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage.S3;

/// <summary>S3's conventions: XML, and errors with a code of their own.</summary>
public static class S3Dialect
{
    private const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    public static readonly Dialect Value = new("s3")
    {
        Error = (c, f) => c.Method == "HEAD" ? Reply.Empty(Status(f)) : Xml(Status(f), null, "Error", w =>
        {
            w.WriteElementString("Code", f.Kind ?? Code(f.Status));
            w.WriteElementString("Message", f.Message);
            w.WriteElementString("Resource", c.Path);
            w.WriteElementString("RequestId", c.RequestId);
        }),
    };

    /// <summary>A document in S3's namespace.</summary>
    public static Reply Xml(string root, Action<XmlWriter> members) => Xml(200, Namespace, root, members);

    /// <summary>What copies are answered with.</summary>
    internal static Reply Copied(string root, StoredObject made) => Xml(root, w =>
    {
        w.WriteElementString("ETag", Quoted(made.ETag));
        w.WriteElementString("LastModified", Time(made.Modified));
    });

    public static Fault NoBucket() => new(404, "The specified bucket does not exist.") { Kind = "NoSuchBucket" };
    public static Fault NoKey() => new(404, "The specified key does not exist.") { Kind = "NoSuchKey" };
    public static Fault NoUpload() => new(404, "The specified multipart upload does not exist.") { Kind = "NoSuchUpload" };
    public static Fault Malformed() => new(400, "The XML you provided was not well-formed.") { Kind = "MalformedXML" };

    public static string Quoted(string etag) => $"\"{etag.Trim('"')}\"";
    public static string Time(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static Reply Xml(int status, string? space, string root, Action<XmlWriter> members) =>
        new() { Status = status, ContentType = "application/xml", Text = XmlText.Of(root, members, space) };

    // S3 knows no 401.
    private static int Status(Fault f) => f.Status == 401 ? 403 : f.Status;

    private static string Code(int status) => status switch
    {
        400 => "InvalidRequest",
        401 or 403 => "AccessDenied",
        404 => "NoSuchKey",
        405 => "MethodNotAllowed",
        409 => "OperationAborted",
        411 => "MissingContentLength",
        412 => "PreconditionFailed",
        413 => "EntityTooLarge",
        416 => "InvalidRange",
        422 => "BadDigest",
        501 => "NotImplemented",
        503 => "SlowDown",
        _ => "InternalError",
    };
}
