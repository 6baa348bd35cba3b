using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>The samples of docs/webhooks.md, word for word, given real requests and forged ones.</summary>
public sealed class WebhookSampleTests
{
    private static readonly string Page = File.ReadAllText(Repository.Path("docs/webhooks.md"));

    private sealed record Case(string Secret, Dictionary<string, string> Headers, string Body, long Now, bool Good);

    [Fact]
    public async Task Python() => await Run("python3", "python", """
        import base64, json, sys
        exec(open("sample").read())
        for c in json.load(open("cases.json")):
            print(verify(c["Secret"], c["Headers"], c["Body"].encode(), c["Now"]))
        """);

    [Fact]
    public async Task JavaScript() => await Run("node", "javascript", """
        const fs = require("node:fs");
        eval(fs.readFileSync("sample", "utf8") + "\nglobalThis.verify = verify;");
        for (const c of JSON.parse(fs.readFileSync("cases.json", "utf8"))) console.log(verify(c.Secret, c.Headers, Buffer.from(c.Body), c.Now) ? "True" : "False");
        """);

    [Fact]
    public async Task CSharp()
    {
        // What is compiled here is what the page says.
        var here = await File.ReadAllTextAsync(Repository.Path("tests/Contract/WebhookSampleTests.cs"));
        Assert.Contains(string.Join('\n', Sample("csharp").Split('\n').Select(l => l.Length > 0 ? "    " + l : l)).TrimEnd(), here, StringComparison.Ordinal);
        foreach (var c in await Cases()) Assert.Equal(c.Good, Verify(c.Secret, c.Headers, Encoding.UTF8.GetBytes(c.Body), DateTimeOffset.FromUnixTimeSeconds(c.Now)));
    }

    /// <summary>True only for what was signed with the secret within the window.</summary>
    public static bool Verify(string secret, IReadOnlyDictionary<string, string> headers, byte[] body, DateTimeOffset now, int window = 300)
    {
        var (id, timestamp) = (headers["webhook-id"], headers["webhook-timestamp"]);
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var sent) || Math.Abs(now.ToUnixTimeSeconds() - sent) > window) return false;
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed)));
        return headers["webhook-signature"].Split(' ').Any(given => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), expected));
    }

    private static string Sample(string language) => Page.Split("```" + language + "\n")[1].Split("```")[0];

    private static async Task<IReadOnlyList<Case>> Cases()
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        var made = await receiver.Hook(new { kinds = new[] { "test.thing" } });
        var (id, old) = (made.GetProperty("webhook").GetProperty("id").GetString(), made.GetProperty("secret").GetString()!);
        await receiver.Emit("e1 a");
        var fresh = (await cloud.Send("POST", $"/events/v1/webhooks/{id}/rotate", user: "demo")).Body.GetProperty("secret").GetString()!;
        await cloud.Drain();
        await receiver.Emit("e2 a");
        Dictionary<string, string> Of(int i, params (string, string)[] other) => new(receiver.All[i].Headers.Where(h => h.Key.StartsWith("webhook-", StringComparison.Ordinal)).Concat(other.Select(o => KeyValuePair.Create(o.Item1, o.Item2))).GroupBy(h => h.Key).Select(g => g.Last()));
        var (now, one, two) = (cloud.Clock.GetUtcNow().ToUnixTimeSeconds(), receiver.All[0].Body, receiver.All[1].Body);
        return
        [
            new(old, Of(0), one, now, true), new(fresh, Of(1), two, now, true), new(old, Of(1), two, now, true), new(old, Of(0), one, now + 299, true),
            new(fresh, Of(0), one, now, false), // another's key
            new(old, Of(0), one, now + 301, false), new(old, Of(0), one, now - 301, false), // a replay
            new(old, Of(0), one + " ", now, false), new(old, Of(0), two, now, false),
            new(old, Of(0, ("webhook-id", "e9")), one, now, false), new(old, Of(0, ("webhook-timestamp", (now + 1).ToString(CultureInfo.InvariantCulture))), one, now, false),
            new(old, Of(0, ("webhook-timestamp", "")), one, now, false), new(old, Of(0, ("webhook-timestamp", "٣")), one, now, false),
            new(old, Of(0, ("webhook-signature", "")), one, now, false), new(old, Of(0, ("webhook-signature", "v1,")), one, now, false), new(old, Of(0, ("webhook-signature", "v2" + receiver.All[0].Headers["webhook-signature"][2..])), one, now, false),
        ];
    }

    private static async Task Run(string interpreter, string language, string script)
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, interpreter)))) Assert.Skip($"{interpreter} is not installed");
        var cases = await Cases();
        var folder = Directory.CreateTempSubdirectory("cs-sample-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "sample"), Sample(language));
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "script"), script);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "cases.json"), JsonSerializer.Serialize(cases));
            using var process = Process.Start(new ProcessStartInfo(interpreter, ["script"]) { WorkingDirectory = folder.FullName, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            Assert.Equal("", await wrong);
            Assert.Equal(cases.Select(c => c.Good.ToString()), (await said).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally { folder.Delete(recursive: true); }
    }
}
