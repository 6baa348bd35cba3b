using System.Globalization;
using System.Net;
using System.Text;

namespace Cloud.ObjectStorage.Web;

/// <summary>A listing as a page that browsers show.</summary>
internal static class WebListing
{
    private const string Style = "h1 {font-size: 1em; font-weight: bold;} th {text-align: left; padding: 0px 1em 0px 1em;} td {padding: 0px 1em 0px 1em;} a {text-decoration: none;}";

    public static string Html(string label, string folder, string? css, IReadOnlyList<Entry<StoredObject>> entries)
    {
        var title = WebUtility.HtmlEncode($"Listing of {label}/{folder}");
        var html = new StringBuilder("<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\" />\n<title>").Append(title).Append("</title>\n");
        if (css is null) html.Append("<style type=\"text/css\">").Append(Style).Append("</style>\n");
        else html.Append("<link rel=\"stylesheet\" type=\"text/css\" href=\"").Append(WebUtility.HtmlEncode(css)).Append("\" />\n");
        html.Append("</head>\n<body>\n<h1 id=\"title\">").Append(title).Append("</h1>\n<table id=\"listing\">\n<tr id=\"heading\"><th class=\"colname\">Name</th><th class=\"colsize\">Size</th><th class=\"coldate\">Date</th></tr>\n");
        if (folder.Length > 0) Row(html, "parent", "../", "../", "", "");
        foreach (var e in entries)
        {
            var name = e.Name[folder.Length..];
            if (e.Item is { } o) Row(html, "item", "./" + Place.Escape(name), name, SwiftDialect.Number(o.Size), o.Modified.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
            else Row(html, "subdir", "./" + Place.Escape(name), name, "", "");
        }
        return html.Append("</table>\n</body>\n</html>\n").ToString();
    }

    private static void Row(StringBuilder html, string kind, string link, string name, string size, string date) =>
        html.Append("<tr class=\"").Append(kind).Append("\"><td class=\"colname\"><a href=\"").Append(WebUtility.HtmlEncode(link)).Append("\">").Append(WebUtility.HtmlEncode(name))
            .Append("</a></td><td class=\"colsize\">").Append(size).Append("</td><td class=\"coldate\">").Append(date).Append("</td></tr>\n");
}
