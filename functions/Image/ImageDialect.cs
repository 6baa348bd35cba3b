using System.Net;
using Cloud.Platform.Rest;

namespace Cloud.Image;

/// <summary>Glance's conventions: bare bodies, JSON patch, errors as a small page. https://docs.openstack.org/api-ref/image/v2/</summary>
public static class ImageDialect
{
    public static readonly Dialect Value = Of("");

    /// <param name="schemas">What the names of the collections' schemas begin with.</param>
    public static Dialect Of(string schemas) => new("image")
    {
        Bare = true, UpdateMethod = "PATCH", StrictSlash = true, MaxLimit = 1000, DefaultLimit = 25,
        Error = (_, f) => new()
        {
            Status = f.Status, ContentType = "text/html; charset=UTF-8",
            Text = $"<html>\n <head>\n  <title>{f.Status} {Title(f.Status)}</title>\n </head>\n <body>\n  <h1>{f.Status} {Title(f.Status)}</h1>\n  {WebUtility.HtmlEncode(f.Message)}<br /><br />\n\n\n </body>\n</html>",
        },
        Links = (w, c, page) =>
        {
            w.WriteString("first", PageLinks.With(c)[c.BaseUrl.Length..].TrimEnd('?'));
            if (page.More) w.WriteString("next", PageLinks.Next(c, page)[c.BaseUrl.Length..]);
            w.WriteString("schema", "/v2/schemas/" + schemas + page.Collection);
        },
    };

    private static string Title(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
}
