using System.Globalization;
using System.Text;

namespace Cloud.Platform.Rest;

/// <summary>All operations of all services as a page to read.</summary>
public static class Coverage
{
    public static string Of(IReadOnlyList<Slice> slices)
    {
        var page = new StringBuilder("# Operations\n\nMade from the route tables by `./cloud generate`. An operation that is not offered is answered with 501 in the service's own format. ")
            .Append("Details (fields, limits) are in [openapi/](openapi/); what OpenStack's own tests say is in [conformance.md](conformance.md).\n\n| service | path | microversions | offered | not offered |\n|---|---|---|---|---|\n");
        foreach (var s in slices)
            page.Append(CultureInfo.InvariantCulture, $"| [{s.Prefix}](#{s.Prefix}) | `/{s.Prefix}` | {(s.Dialect.Microversions is { } m ? $"{m.Min} to {m.Max}" : "")} | {s.Routes.Count(r => r.NotOffered is null)} | {s.Routes.Count(r => r.NotOffered is not null)} |\n");
        page.Append(CultureInfo.InvariantCulture, $"| together | | | {slices.Sum(s => s.Routes.Count(r => r.NotOffered is null))} | {slices.Sum(s => s.Routes.Count(r => r.NotOffered is not null))} |\n");
        foreach (var s in slices)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {s.Prefix}\n\n| method | path | action | versions | rule |\n|---|---|---|---|---|\n");
            foreach (var r in s.Routes.Where(r => r.NotOffered is null).OrderBy(r => r.Path, StringComparer.Ordinal).ThenBy(r => r.Method, StringComparer.Ordinal))
                page.Append(CultureInfo.InvariantCulture, $"| {r.Method} | `{r.Path}` | {r.Action} | {Versions(r)} | {r.Policy} |\n");
            var missing = s.Routes.Where(r => r.NotOffered is not null).ToList();
            if (missing.Count == 0) continue;
            page.Append("\nNot offered:\n");
            foreach (var reason in missing.GroupBy(r => r.NotOffered))
            {
                page.Append(CultureInfo.InvariantCulture, $"\n{reason.Key}\n\n");
                foreach (var one in reason.GroupBy(r => $"{r.Method} `{r.Path}`"))
                    page.Append(CultureInfo.InvariantCulture, $"- {one.Key}{(one.First().Action is null ? "" : ": " + string.Join(", ", one.Select(r => r.Action)))}\n");
            }
        }
        return page.ToString();
    }

    private static string Versions(Route r) => (r.Since, r.Until) switch { (null, null) => "", (var a, null) => $"from {a}", (null, var b) => $"to {b}", var (a, b) => $"{a} to {b}" };
}
