using System.Security.Cryptography;
using System.Text;
using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Unit.ObjectStorage;

/// <summary>A cloud with an ordinary user, and short words for what he does with objects.</summary>
public sealed class Shop : IAsyncDisposable
{
    private const string User = "demo";

    public required TestCloud Cloud { get; init; }
    /// <summary>Path of the user's account.</summary>
    public required string Account { get; init; }
    /// <summary>As clients sign it when they know nothing of this cloud's prefix.</summary>
    public string Signed => Account["/object-store".Length..];

    public static Task<Shop> Open(params string[] containers) => Open(null, containers);

    public static async Task<Shop> Open(Cloud.Platform.Settings? settings, params string[] containers)
    {
        var cloud = await TestCloud.Start(settings: settings);
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: User)).Body.GetProperty("projects")[0].GetProperty("id").GetString();
        var shop = new Shop { Cloud = cloud, Account = "/object-store/v1/AUTH_" + project };
        foreach (var container in containers) await shop.Do("PUT", "/" + container);
        return shop;
    }

    public async Task<Answer> Do(string method, string path, string? body = null, params (string, string)[] headers) => await Cloud.Send(method, Account + path, body, User, headers);

    public Task<Answer> Put(string path, string body, params (string, string)[] headers) => Do("PUT", path, body, [("Content-Length", Encoding.UTF8.GetByteCount(body).ToString()), .. headers]);

    public async Task<string> Get(string path, params (string, string)[] headers) => (await Do("GET", path, null, headers)).Text;

    public async Task<int> Status(string path) => (await Do("GET", path)).Status;

    /// <summary>Somebody without a token.</summary>
    public Task<Answer> Stranger(string method, string path, string? body = null, params (string, string)[] headers) => Cloud.Raw(method, Account + path, null, body, headers);

    /// <summary>What a timer does.</summary>
    public Task Run(string job) => Triggers.All(Cloud.Services.Slices).OfType<TimerTrigger>().Single(t => t.Name == "timer-object-store-" + job).Run(Cloud.Services, default);

#pragma warning disable CA5351 // ETags are MD5 by definition
    public static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5351

    public static string Hmac(string key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(text)));

    /// <summary>What HEAD says of the account: containers, objects, bytes.</summary>
    public async Task<(string, string, string)> Sums() => (await Do("HEAD", "")).Headers is var h ? (h["X-Account-Container-Count"], h["X-Account-Object-Count"], h["X-Account-Bytes-Used"]) : default;

    /// <summary>All that is left once every container was emptied and deleted: nothing.</summary>
    public async Task<IReadOnlyList<string>> Leftovers()
    {
        await Cloud.Drain();
        return [.. Cloud.Store.All.Where(r => r.Partition.StartsWith("objects.", StringComparison.Ordinal) && r.Key != "account" && !r.Key.StartsWith($"n|{r.Partition[8..]}|", StringComparison.Ordinal)).Select(r => r.Key), .. Cloud.Replicas.SelectMany(r => r.Blobs.Keys), .. Cloud.Errors];
    }

    public ValueTask DisposeAsync() => Cloud.DisposeAsync();
}
