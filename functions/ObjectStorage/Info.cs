using System.Text.Json;
using Cloud.ObjectStorage.Manifests;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>GET /info: what this store can do and how much of it, under the names of Swift's parts.</summary>
internal static class Info
{
    public static Reply Show(Call c) => Reply.Object(200, w =>
    {
        w.Object("swift", () =>
        {
            w.WriteString("version", "2.30.0");
            w.Objects("policies", [Containers.Policy], name =>
            {
                w.WriteString("name", name);
                w.WriteString("aliases", name);
                w.WriteBoolean("default", true);
            });
            Numbers(w,
                ("max_file_size", Uploads.MaxBytes), ("max_meta_name_length", Metadata.MaxName), ("max_meta_value_length", Metadata.MaxValue), ("max_meta_count", Metadata.MaxCount),
                ("max_meta_overall_size", Metadata.MaxOverall), ("max_header_size", 8192), ("max_object_name_length", Place.MaxObject), ("max_container_name_length", Place.MaxContainer),
                ("max_account_name_length", 69), ("container_listing_limit", ListQuery.Most), ("account_listing_limit", ListQuery.Most), ("extra_header_count", 0));
            w.WriteBoolean("strict_cors_mode", true);
            w.WriteBoolean("allow_account_management", false);
        });
        w.Object("slo", () => Numbers(w, ("max_manifest_segments", Slo.MaxSegments), ("max_manifest_size", Slo.MaxBytes), ("min_segment_size", 1)));
        w.Object("dlo", () => Numbers(w, ("max_segments", ListQuery.Most)));
        w.Object("bulk_delete", () => Numbers(w, ("max_deletes_per_request", Bulk.BulkDelete.Most), ("max_failed_deletes", Bulk.BulkDelete.Most)));
        w.Object("bulk_upload", () => { });
        w.Object("symlink", () =>
        {
            Numbers(w, ("symloop_max", Links.MaxHops));
            w.WriteBoolean("static_links", true);
        });
        w.Object("tempurl", () =>
        {
            w.Strings("methods", ["GET", "HEAD", "PUT", "POST", "DELETE"]);
            w.Strings("allowed_digests", ["sha1", "sha256", "sha512"]);
        });
        w.Object("container_sync", () => Sync.Door.Write(w, c.Services.Settings.Sync));
        w.Object("formpost", () => w.Strings("allowed_digests", ["sha1", "sha256", "sha512"]));
        w.Object("versioned_writes", () => w.Strings("allowed_flags", ["x-versions-location", "x-history-location"]));
        foreach (var part in (string[])["account_quotas", "container_quotas", "copy", "keystoneauth", "object_versioning", "staticweb"]) w.Object(part, () => { });
    }).Traced(c);

    private static void Numbers(Utf8JsonWriter w, params (string Name, long Value)[] limits)
    {
        foreach (var (name, value) in limits) w.WriteNumber(name, value);
    }

    public static Reply Health(Call c) => new Reply { Status = 200, ContentType = SwiftDialect.Plain, Text = "OK" }.Traced(c);

    public static Reply CrossDomain(Call c) => new Reply
    {
        Status = 200, ContentType = "application/xml",
        Text = "<?xml version=\"1.0\"?>\n<!DOCTYPE cross-domain-policy SYSTEM \"http://www.adobe.com/xml/dtds/cross-domain-policy.dtd\" >\n<cross-domain-policy>\n<allow-access-from domain=\"*\" secure=\"false\" />\n</cross-domain-policy>",
    }.Traced(c);
}
