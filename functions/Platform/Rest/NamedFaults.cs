namespace Cloud.Platform.Rest;

/// <summary>Error bodies of Nova and Cinder: the error's name is the key, <c>{"itemNotFound": {"code": 404, "message": ...}}</c>.</summary>
public static class NamedFaults
{
    public static Func<Call, Fault, Reply> Of(string unexpected) => (_, f) => Reply.Of(f.Status, w =>
    {
        w.WriteStartObject();
        w.WriteStartObject(Name(f.Status, unexpected));
        w.WriteNumber("code", f.Status);
        w.WriteString("message", f.Message);
        if (f.Status == 413) w.WriteNumber("retryAfter", 0);
        w.WriteEndObject();
        w.WriteEndObject();
    });

    private static string Name(int status, string unexpected) => status switch
    {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        405 => "badMethod",
        409 => "conflictingRequest",
        413 => "overLimit",
        415 => "badMediaType",
        429 => "overLimit",
        501 => "notImplemented",
        503 => "serviceUnavailable",
        _ => unexpected,
    };
}
