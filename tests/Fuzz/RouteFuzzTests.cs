using System.Globalization;
using System.Text;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Tests.Contract.Authz;
using Cloud.Tests.Kit;
using Cloud.Tests.Unit.ObjectStorage;
using Xunit;

namespace Cloud.Tests.Fuzz;

/// <summary>
/// Every route with bodies, queries, headers and tokens that were good once: it answers, never by breaking, at a bounded cost, and what it accepts comes to its
/// end. CS_FUZZ says how many requests a route gets, CS_FUZZ_SEED with which the first one begins; ./cloud soak --fuzz N.
/// </summary>
public sealed class RouteFuzzTests(ITestOutputHelper output)
{
    /// <summary>Bytes that a request of at most 112 KiB may take.</summary>
    private const long Bound = 64 << 20;

    private static readonly int Times = Number("CS_FUZZ", 12), First = Number("CS_FUZZ_SEED", 1);

    private static readonly string[] Headers =
    [
        "Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Content-Type", "Content-Length", "Accept", "OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "X-Subject-Token", "X-Auth-Token", "Authorization", "Destination", "X-Copy-From",
        "X-Object-Manifest", "X-Delete-At", "X-Delete-After", "X-Container-Read", "X-Container-Write", "X-Container-Meta-Quota-Bytes", "X-Versions-Location", "X-Symlink-Target", "X-Object-Meta-A", "ETag", "X-Newest", "X-Trans-Id-Extra", "X-Amz-Date", "X-Amz-Content-Sha256",
        "X-Amz-Copy-Source", "x-amz-acl", "X-Service-Token", "X-Image-Meta-Store", "Last-Event-ID", "traceparent", "X-Forwarded-For", "Content-Encoding", "X-Roles", "X-Timestamp",
    ];

    private static readonly string[] Settings =
    [
        "bytes=0-", "bytes=-5", "bytes=5-1", "bytes=0-0,2-3", "bytes=99999999999999999999-", "bytes=", "*", "\"x\"", "W/\"x\"", "Thu, 01 Jan 1970 00:00:00 GMT", "9999999999", "-1", "0", "18446744073709551616", "text/plain", "application/json; charset=utf-16", "text/xml", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded", "compute 2.93", "compute latest", "volume 99.9", "compute 2", "2.1.1", "Bearer x", "Basic eA==", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host;, Signature=", "AWS a:b", "/shelf/book", "shelf", "/", "../..", "%2e%2e/%00", ".r:*,.rlistings",
        ".r:-.x", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-zz-zz-zz", "gzip", "application/vnd.openstack.orchestration", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "UNSIGNED-PAYLOAD", "20300101T000000Z", "\u00e9\u4e2d",
    ];

    public static TheoryData<string> Services => [.. Slices.All.Select(s => s.Prefix)];

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var n) ? n : otherwise;

    [Theory, MemberData(nameof(Services))]
    public async Task Whatever_a_route_is_sent_it_answers_and_nothing_breaks(string prefix)
    {
        var scene = new Scene();
        await scene.InitializeAsync();
        var belongings = await Furniture.Of(scene);
        var seeds = new Seeds(scene, belongings);
        var (slice, own, sent, accepted, wrong) = (Slices.All.Single(s => s.Prefix == prefix), belongings[prefix], 0, 0, new List<string>());
        var statuses = new SortedDictionary<int, int>();
        var made = (await scene.Send("POST", $"/identity/v3/users/{await scene.Cloud.IdOf("users", "ann")}/credentials/OS-EC2", $$"""{"tenant_id":"{{scene["ann.project"]}}"}""")).Body.GetProperty("credential");
        (string Access, string Secret) key = (made.GetProperty("access").GetString()!, made.GetProperty("secret").GetString()!);
        foreach (var (route, number) in slice.Routes.Select((r, i) => (r, i)))
        {
            if (route.NotOffered is not null || own.Gone.Any(g => route.Path.EndsWith(g, StringComparison.Ordinal))) continue;
            string PathOf(string user) => Path(slice, route, own, scene[user + ".project"]);
            var bodies = await seeds.Of(slice, route, PathOf("ann"));
            var cloud = scene.Cloud.Copy();
            try
            {
                for (var i = 0; i < Times; i++)
                {
                    var mutator = new Mutator(new Random(HashCode(First + i, number)), seeds.Words);
                    var (user, target, headers) = (mutator.Often(prefix == "identity" ? 2 : 4) ? "admin" : "ann", Query(mutator), Some(mutator, own));
                    target = PathOf(user) + target;
                    var body = route.Method is "GET" or "HEAD" ? [] : route.Streams && mutator.Often(2) ? mutator.Bytes(Encoding.UTF8.GetBytes(mutator.Any(bodies))) : mutator.Json(mutator.Any(bodies));
                    var token = mutator.Often(15) ? Encoding.Latin1.GetString(mutator.Bytes(Encoding.Latin1.GetBytes(await cloud.Token(user)))) : await cloud.Token(user);
                    var (thread, before) = (Environment.CurrentManagedThreadId, GC.GetAllocatedBytesForCurrentThread());
                    using var stream = new MemoryStream(body);
                    var answer = prefix == "s3" && !mutator.Often(8)
                        ? await new S3Client(cloud, key.Access, key.Secret).Send(route.Method, target["/s3".Length..], Encoding.UTF8.GetString(body), headers: [.. headers.Where(h => !Signed.Contains(h.Item1))])
                        : await cloud.Stream(route.Method, target, token, stream, headers);
                    // What went on on another thread, for it waited for something, isn't counted.
                    var cost = thread == Environment.CurrentManagedThreadId ? GC.GetAllocatedBytesForCurrentThread() - before : 0;
                    sent++;
                    statuses[answer.Status] = statuses.GetValueOrDefault(answer.Status) + 1;
                    if (answer.Status is >= 500 and not (501 or 503) || answer.Status < 200 || cost > Bound) Wrong($"{answer.Status} {cost >> 20} MiB {answer.Text}");
                    if (answer.Status >= 300 || route.Method is "GET" or "HEAD") continue;
                    accepted++;
                    await cloud.Drain();
                    if (cloud.Errors.Count > 0) Wrong($"{answer.Status}, and then");
                    // What it did is not what the next one finds.
                    await cloud.DisposeAsync();
                    cloud = scene.Cloud.Copy();

                    void Wrong(string what) => wrong.Add($"CS_FUZZ_SEED={First + i} {user} {route.Method} {target} {route.Action} {string.Join(' ', headers)} {Short(Encoding.UTF8.GetString(body))}: {Short(what)} {Short(string.Join('\n', cloud.Errors))}");
                }
            }
            finally { await cloud.DisposeAsync(); }
        }
        output.WriteLine($"{prefix}: {sent} requests, {accepted} accepted, {wrong.Count} wrong; {string.Join(", ", statuses.Select(s => $"{s.Key}: {s.Value}"))}");
        await scene.DisposeAsync();
        Assert.True(wrong.Count == 0, $"{wrong.Count}:\n{string.Join("\n\n", wrong.Take(40))}");
    }

    /// <summary>The same on every run, unlike .NET's own.</summary>
    private static int HashCode(int seed, int route) => unchecked((seed * 486187739) ^ (route * 16777619));

    private static string Short(string text) => text.Length > 900 ? text[..900] + "..." : text;

    private static string Path(Slice slice, Route route, Belongings own, string project)
    {
        try { return own.Path(slice, route, -1, project); }
        catch (InvalidOperationException) { return $"/{slice.Prefix}{string.Join('/', route.Path.Split('/').Select(p => p == "{project_id}" ? project : p.StartsWith('{') ? Belongings.Absent("") : p))}"; }
    }

    private static readonly string[] Signed = ["Content-Length", "Authorization", "X-Amz-Date", "X-Amz-Content-Sha256"];

    // Without its like a route isn't reached.
    private static readonly string[] Switches = ["multipart-manifest=put", "multipart-manifest=get&format=raw", "multipart-manifest=delete", "extract-archive=tar.gz", "bulk-delete", "format=json", "format=xml", "delimiter=/", "uploads", "uploadId=x&partNumber=1", "delete", "versioning", "acl", "versions", "list-type=2", "symlink=get", "limit=1"];

    private static string Query(Mutator m) => m.Often(2) ? "" : m.Often(3) ? "?" + m.Any(Switches) : "?" + string.Join('&', Enumerable.Range(0, 1 + m.Below(3)).Select(_ => $"{Uri.EscapeDataString(m.Text())}={Uri.EscapeDataString(m.Text())}".Replace("%2C", ",", StringComparison.Ordinal)));

    private static (string, string)[] Some(Mutator m, Belongings own)
    {
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["Content-Type"] = "application/json", ["X-Subject-Token"] = "x" };
        if (own.Newest is { } newest) all["OpenStack-API-Version"] = newest;
        if (!m.Often(2)) for (var n = 1 + m.Below(3); n > 0; n--) all[m.Any(Headers)] = m.Often(3) ? m.Text() : m.Any(Settings);
        return [.. all.Where(h => h.Key != "X-Auth-Token").Select(h => (h.Key, h.Value))];
    }
}
