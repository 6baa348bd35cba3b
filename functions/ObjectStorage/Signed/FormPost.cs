using System.Globalization;
using Cloud.Platform.Rest;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Cloud.ObjectStorage.Signed;

/// <summary>Uploads from a web page's form: it brings what its maker signed, and then files, whose names go on after the path.</summary>
internal static class FormPost
{
    private const int MaxValue = 1 << 13;

    public static bool Is(Call c) => c.Header("Content-Type")?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true;

    public static async ValueTask<Reply> Run(Call c)
    {
        var place = Place.Of(c);
        if (!MediaTypeHeaderValue.TryParse(c.Header("Content-Type"), out var type) || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 } boundary) throw Fault.BadRequest("FormPost: no boundary");
        var form = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var reader = new MultipartReader(boundary.ToString(), c.Stream!);
        try
        {
            for (var files = 0; await reader.ReadNextSectionAsync(c.Cancelled) is { } section;)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var what)) continue;
                var file = HeaderUtilities.RemoveQuotes(what.FileName).ToString();
                if (what.FileName.Length == 0) form[HeaderUtilities.RemoveQuotes(what.Name).ToString()] = await Text(section, c.Cancelled);
                else if (file.Length > 0) await Take(c, place, form, files++, section, file);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException) { throw Fault.BadRequest("FormPost: invalid starting boundary or form"); }
        await Check(c, place, form);
        return form.GetValueOrDefault("redirect") is { Length: > 0 } to
            ? SwiftDialect.Page(303, "").With("Location", $"{to}{(to.Contains('?', StringComparison.Ordinal) ? '&' : '?')}status=201&message=")
            : new() { Status = 201, ContentType = SwiftDialect.Html, Text = "<h1>201 Created</h1>FormPost: Success\r\n\r\n" };
    }

    /// <exception cref="Fault">400 or 401.</exception>
    private static async ValueTask Check(Call c, Place place, Dictionary<string, string> form)
    {
        if (!long.TryParse(form.GetValueOrDefault("expires"), NumberStyles.None, CultureInfo.InvariantCulture, out var until)) throw Fault.BadRequest("FormPost: expired not an integer");
        if (until < c.Now.ToUnixTimeSeconds()) throw new Fault(401, "FormPost: Form Expired");
        var rest = string.Join('\n', form.GetValueOrDefault("redirect"), form.GetValueOrDefault("max_file_size"), form.GetValueOrDefault("max_file_count"), form["expires"]);
        if (await Signature.Scope(c, place, form.GetValueOrDefault("signature") ?? "", [.. Signature.Paths(c, place).Select(p => $"{p}\n{rest}")]) is null) throw new Fault(401, "FormPost: Invalid Signature");
    }

    private static async ValueTask Take(Call c, Place place, Dictionary<string, string> form, int before, MultipartSection section, string file)
    {
        await Check(c, place, form);
        if (before >= Number(form, "max_file_count")) throw Fault.BadRequest("FormPost: max_file_count exceeded");
        place = place with { Object = place.Object + file };
        place.CheckNames();
        var container = await Shelf.Container(c.Store, place.Project!, place.Container, c.Cancelled) ?? throw Containers.Missing();
        var draft = new StoredObject
        {
            Name = place.Object, ContentType = section.ContentType is { Length: > 0 } given ? given : Uploads.Guess(file),
            DeleteAt = Expiry.Of(c.Now, form.GetValueOrDefault("x_delete_at"), form.GetValueOrDefault("x_delete_after")),
        };
        await Uploads.Store(c, container, place, new(draft, section.Body) { Most = Number(form, "max_file_size") });
    }

    private static long Number(Dictionary<string, string> form, string name) =>
        long.TryParse(form.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw Fault.BadRequest($"FormPost: {name} not an integer");

    private static async ValueTask<string> Text(MultipartSection section, CancellationToken ct) =>
        System.Text.Encoding.UTF8.GetString(await WholeBody.Read(section.Body, MaxValue, ct) ?? throw Fault.BadRequest("FormPost: a field is too long"));
}
