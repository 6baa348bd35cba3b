using Cloud.Platform.Rest;

namespace Cloud.Network;

/// <summary>Neutron's conventions: https://docs.openstack.org/api-ref/network/v2/</summary>
public static class NetworkDialect
{
    public static readonly Dialect Value = new("network")
    {
        // Whoever asks for no page gets everything.
        MaxLimit = int.MaxValue - 1, ZeroIsNoLimit = true, Json = Lenient.Json,
        Error = (_, f) => Reply.Of(f.Status, w =>
        {
            w.WriteStartObject();
            w.WriteStartObject("NeutronError");
            w.WriteString("type", f.Kind ?? Type(f.Status));
            w.WriteString("message", f.Message);
            w.WriteString("detail", "");
            w.WriteEndObject();
            w.WriteEndObject();
        }),
        Links = (w, c, page) =>
        {
            if (c.First("limit") is null || page.LastId is null) return;
            w.WriteStartArray(page.Collection + "_links");
            if (page.More)
            {
                w.WriteStartObject();
                w.WriteString("rel", "next");
                w.WriteString("href", PageLinks.Next(c, page));
                w.WriteEndObject();
            }
            if (c.First("marker") is not null)
            {
                w.WriteStartObject();
                w.WriteString("rel", "previous");
                w.WriteString("href", PageLinks.With(c, ("marker", page.FirstId!), ("page_reverse", "True")));
                w.WriteEndObject();
            }
            w.WriteEndArray();
        },
    };

    private static string Type(int status) => status switch { 400 => "HTTPBadRequest", 401 => "HTTPUnauthorized", 403 => "HTTPForbidden", 404 => "HTTPNotFound", 405 => "HTTPMethodNotAllowed", 409 => "Conflict", 412 => "HTTPPreconditionFailed", _ => "HTTPInternalServerError" };

    public static Fault Over(string what, long asked, long used, long limit) => new(409, $"Quota exceeded for resources: ['{what}'].") { Kind = "OverQuota" };
}
