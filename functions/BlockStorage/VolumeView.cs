using System.Text.Json;
using Cloud.Platform.Rest;

namespace Cloud.BlockStorage;

/// <summary>What Cinder shows of a volume beyond its fields.</summary>
public static class VolumeView
{
    public static void Write(Utf8JsonWriter w, Call c, Volume v, bool detail)
    {
        w.Links(("self", $"{c.BaseUrl}/v3/{v.ProjectId}/volumes/{v.Id}"), ("bookmark", $"{c.BaseUrl}/{v.ProjectId}/volumes/{v.Id}"));
        if (!detail) return;
        w.Map("metadata", c.Method == "GET" ? v.Metadata.Concat(Visible(v)) : v.Metadata);
        w.Objects("attachments", v.Attachment is { } there ? [there] : Array.Empty<Attachment>(), a =>
        {
            w.WriteString("id", v.Id);
            w.WriteString("attachment_id", a.Id);
            w.WriteString("volume_id", v.Id);
            w.WriteString("server_id", a.ServerId);
            w.WriteString("device", a.Device);
            w.WriteString("host_name", a.HostName ?? (c.Allows("volume:host_attribute", default) && v.Host.Length > 0 ? v.Host : null));
            w.WriteString("attached_at", BlockDialect.Value.Time(a.At));
        });
        // The answers of create and update are without these.
        if (c.Method is not ("GET" or "HEAD")) return;
        w.WriteString("os-vol-tenant-attr:tenant_id", v.ProjectId);
        if (c.Allows("volume:host_attribute", default))
        {
            w.WriteString("os-vol-host-attr:host", v.Host.Length > 0 ? $"{v.Host}@local#local" : null);
            w.WriteNull("os-vol-mig-status-attr:migstat");
            w.WriteNull("os-vol-mig-status-attr:name_id");
        }
        if (v.ImageMetadata is { } image) w.Map("volume_image_metadata", image);
    }

    // What Cinder itself writes among the client's own.
    private static IEnumerable<KeyValuePair<string, string>> Visible(Volume v)
    {
        if (v.Attachment is not null) yield return new("attached_mode", "rw");
        if (v.ReadOnly is { } only) yield return new("readonly", only ? "True" : "False");
    }
}
