using System.Security.Cryptography;
using System.Text;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Unit.ObjectStorage;

/// <summary>Signs as Amazon's clients do, with a key of the demo user.</summary>
public sealed class S3Client(TestCloud cloud, string access, string secret)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    /// <summary>What comes before a bucket in paths.</summary>
    public string Root { get; set; } = "/s3";
    /// <summary>How far this client's clock is ahead.</summary>
    public TimeSpan Ahead { get; set; }

    public static async Task<S3Client> For(TestCloud cloud)
    {
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: "demo")).Body.GetProperty("projects")[0].GetProperty("id").GetString();
        var user = (await cloud.Send("GET", "/identity/v3/users?name=demo")).Body.GetProperty("users")[0].GetProperty("id").GetString();
        var key = (await cloud.Send("POST", $"/identity/v3/users/{user}/credentials/OS-EC2", new { tenant_id = project }, "demo")).Body.GetProperty("credential");
        return new(cloud, key.GetProperty("access").GetString()!, key.GetProperty("secret").GetString()!);
    }

    public S3Client With(string other) => new(cloud, access, other);

    /// <param name="payload">What is said of the body instead of its hash.</param>
    public Task<Answer> Send(string method, string target, string body = "", string? payload = null, params (string, string)[] headers)
    {
        var hash = payload ?? Hex(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
        var signed = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = "cloud", ["x-amz-date"] = Date, ["x-amz-content-sha256"] = hash };
        var signature = Sign(method, target, signed, hash);
        return cloud.Raw(method, Root + target, null, body,
        [
            ("Host", "cloud"), ("X-Amz-Date", Date), ("X-Amz-Content-Sha256", hash), ("Content-Length", Encoding.UTF8.GetByteCount(body).ToString()),
            ("Authorization", $"{Algorithm} Credential={access}/{Scope}, SignedHeaders={string.Join(';', signed.Keys)}, Signature={signature}"), .. headers,
        ]);
    }

    /// <summary>An address that lets anybody do this for so long.</summary>
    public string Presign(string method, string path, int seconds)
    {
        var target = $"{path}?X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Uri.EscapeDataString($"{access}/{Scope}")}&X-Amz-Date={Date}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host";
        return Root + target + "&X-Amz-Signature=" + Sign(method, target, new() { ["host"] = "cloud" }, "UNSIGNED-PAYLOAD");
    }

    /// <summary>A body in signed chunks.</summary>
    public Task<Answer> Stream(string target, string[] chunks, string? forged = null)
    {
        const string payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
        var last = Sign("PUT", target, new(StringComparer.Ordinal) { ["host"] = "cloud", ["x-amz-date"] = Date, ["x-amz-content-sha256"] = payload }, payload);
        var body = new StringBuilder();
        foreach (var chunk in chunks.Append(""))
        {
            last = Mac($"{Algorithm}-PAYLOAD\n{Date}\n{Scope}\n{last}\n{Hex(SHA256.HashData([]))}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(chunk)))}");
            body.Append($"{chunk.Length:x};chunk-signature={forged ?? last}\r\n{chunk}\r\n");
        }
        return Send("PUT", target, body.ToString(), payload, ("X-Amz-Decoded-Content-Length", chunks.Sum(c => c.Length).ToString()));
    }

    private string Date => (cloud.Services.Now + Ahead).ToString("yyyyMMdd'T'HHmmss'Z'");
    private string Scope => $"{Date[..8]}/RegionOne/s3/aws4_request";

    private string Sign(string method, string target, SortedDictionary<string, string> headers, string payload)
    {
        var (path, query) = target.Split('?') is [var p, var q] ? (p, string.Join('&', q.Split('&').Select(x => x.Contains('=', StringComparison.Ordinal) ? x : x + "=").Order(StringComparer.Ordinal))) : (target, "");
        var canonical = $"{method}\n{Root}{path}\n{query}\n{string.Concat(headers.Select(h => $"{h.Key}:{h.Value}\n"))}\n{string.Join(';', headers.Keys)}\n{payload}";
        return Mac($"{Algorithm}\n{Date}\n{Scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}");
    }

    private string Mac(string text) => Hex(HMACSHA256.HashData(Scope.Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + secret), (key, part) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part))), Encoding.UTF8.GetBytes(text)));
    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
