using Cloud.ObjectStorage.Web;
using Cloud.Platform.Access;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>Swift's API, version 1.</summary>
public static class Api
{
    private const string Account = "/v1/{account}", Container = Account + "/{container}", Object = Container + "/{object*}";

    public static readonly Platform.Slice Slice = new("object-store", "object-store", SwiftDialect.Value,
    [
        new("GET", "/info", Policy.Anyone, c => new(Info.Show(c))), new("GET", "/healthcheck", Policy.Anyone, c => new(Info.Health(c))),
        new("GET", "/crossdomain.xml", Policy.Anyone, c => new(Info.CrossDomain(c))),
        On("GET", Account, Access.Reads, Accounts.Show), On("HEAD", Account, Access.Reads, Accounts.Show), On("PUT", Account, Access.Writes, Accounts.Put),
        On("POST", Account, Access.Writes, Accounts.Update), On("DELETE", Account, Access.Writes, Accounts.Delete),
        On("GET", Container, Access.Reads, c => StaticWeb.Show(c, Containers.Show)), On("HEAD", Container, Access.Reads, c => StaticWeb.Show(c, Containers.Show)),
        On("PUT", Container, Access.Writes, Containers.Create), On("POST", Container, Access.Writes, Containers.Update), On("DELETE", Container, Access.Writes, Containers.Delete),
        On("GET", Object, Access.Reads, c => StaticWeb.Show(c, Objects.Show)), On("HEAD", Object, Access.Reads, c => StaticWeb.Show(c, Objects.Show)),
        On("PUT", Object, Access.Writes, Uploads.Put), On("POST", Object, Access.Writes, Objects.Update), On("DELETE", Object, Access.Writes, Objects.Delete),
        On("COPY", Object, Access.Writes, Copies.Copy),
        new("OPTIONS", Account, Policy.Anyone, Cors.Ask), new("OPTIONS", Container, Policy.Anyone, Cors.Ask), new("OPTIONS", Object, Policy.Anyone, Cors.Ask),
    ])
    {
        CatalogName = "swift", CatalogPath = "/v1/AUTH_{project_id}", Roots = ["info", "healthcheck", "crossdomain.xml"],
        OnEvent = Collector.OnEvent,
        Queues = [new("queue-object-sync", Sync.Log.Queue, 4, Sessions: true, Sync.Turn.Handle)],
        Jobs = [new("sync", TimeSpan.FromHours(1), Sync.Turn.Sweep), new("audit", TimeSpan.FromMinutes(30), Auditor.Run), new("expire", Expiry.Every, Expiry.Run)],
    };

    // Bodies of any size and kind; and whom a container's list names is known only when it has been read.
    private static Route On(string method, string path, string policy, Func<Call, ValueTask<Reply>> run) => new(method, path, policy, c => Cors.Show(c, run)) { Streams = true, AsksItself = true };
}
