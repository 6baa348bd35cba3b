using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Xunit;

namespace Cloud.Tests.Kit;

/// <summary>A program that signs what it sends as OAuth 1.0 says, and wishes to act for somebody on a project.</summary>
internal sealed class OAuthConsumer(TestCloud cloud, string project, string id, string secret)
{
    public const string Root = "/identity/v3/OS-OAUTH1/", Tokens = "/identity/v3/auth/tokens";
    private static int _nonce;

    public string Id => id;

    public static async Task<OAuthConsumer> Make(TestCloud cloud, string project)
    {
        var made = (await cloud.Send("POST", Root + "consumers", new { consumer = new { description = "x" } })).Body.GetProperty("consumer");
        return new(cloud, project, made.GetProperty("id").GetString()!, made.GetProperty("secret").GetString()!);
    }

    /// <summary>The header that signs a POST to this path.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "OAuth 1.0 says so")]
    public string Sign(string path, (string Id, string Secret)? token = null, string? verifier = null, int age = 0)
    {
        var p = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["oauth_consumer_key"] = id, ["oauth_nonce"] = $"n{Interlocked.Increment(ref _nonce)}", ["oauth_signature_method"] = "HMAC-SHA1", ["oauth_timestamp"] = $"{cloud.Clock.GetUtcNow().ToUnixTimeSeconds() - age}", ["oauth_version"] = "1.0",
        };
        if (token is { Id: var key }) p["oauth_token"] = key;
        if (verifier is not null) p["oauth_verifier"] = verifier;
        string E(string text) => Uri.EscapeDataString(text);
        var text = $"POST&{E("http://cloud" + path)}&{E(string.Join('&', p.Select(x => $"{E(x.Key)}={E(x.Value)}")))}";
        p["oauth_signature"] = Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes($"{E(secret)}&{E(token?.Secret ?? "")}"), Encoding.UTF8.GetBytes(text)));
        return "OAuth " + string.Join(", ", p.Select(x => $"{x.Key}=\"{E(x.Value)}\""));
    }

    public Task<Answer> Post(string path, string authorization) =>
        cloud.Raw("POST", path, null, path.StartsWith(Tokens, StringComparison.Ordinal) ? """{"auth":{"identity":{"methods":["oauth1"],"oauth1":{}}}}""" : null, ("Authorization", authorization), ("Requested-Project-Id", project));

    public async Task<(string Id, string Secret)> Wish() => Issued(await Post(Root + "request_token", Sign(Root + "request_token")));

    public Task<Answer> Agree(string wish, string user, string role) => cloud.Send("PUT", Root + "authorize/" + wish, new { roles = new[] { new { name = role } } }, user);

    public Task<Answer> Exchange((string, string) wish, string? verifier, int age = 0) => Post(Root + "access_token", Sign(Root + "access_token", wish, verifier, age));

    public async Task<(string Id, string Secret)> Access(string user, string role)
    {
        var wish = await Wish();
        return Issued(await Exchange(wish, (await Agree(wish.Id, user, role)).Body.GetProperty("token").GetProperty("oauth_verifier").GetString()));
    }

    public Task<Answer> Login((string, string) access) => Post(Tokens, Sign(Tokens, access));

    private static (string Id, string Secret) Issued(Answer answer)
    {
        Assert.Equal(201, answer.Status);
        var form = QueryHelpers.ParseQuery(answer.Text);
        return (form["oauth_token"].ToString(), form["oauth_token_secret"].ToString());
    }
}
