using Cloud.Demo.Tools;
using Cloud.Tests.Kit;

namespace Cloud.Demo.Steps;

/// <summary>The tenant hears of all that by a webhook: signed, everything, in order.</summary>
internal static class Hear
{
    /// <summary>Before there is anything to hear of.</summary>
    internal static async Task Begin(Stage s)
    {
        var receiver = s.Receiver = new(FreePorts.One());
        s.Later("the receiver of webhooks", () => { receiver.Dispose(); return Task.CompletedTask; });
        var token = await s.User.Run("token", "issue", "-f", "value", "-c", "id");
        var made = await s.Cloud.Post(token, "/events/v1/webhooks", new { webhook = new { name = "demo", url = receiver.Url } }, s.Stop);
        receiver.Secret = made.GetProperty("secret").GetString()!;
        s.Made.Webhook = made.GetProperty("webhook").GetProperty("id").GetString()!;
        s.Made.WebhookFrom = made.GetProperty("webhook").GetProperty("cursor").GetString()!;
        s.Say($"alice hears of what happens at {receiver.Url}");
    }

    internal static async Task Run(Stage s)
    {
        var token = await s.User.Run("token", "issue", "-f", "value", "-c", "id");
        var events = (await s.Cloud.Get(token, $"/events/v1/events?limit=1000&cursor={s.Made.WebhookFrom}", s.Stop)).EnumerateArray().Select(e => (Id: e.GetProperty("id").GetString()!, Subject: e.GetProperty("subject").GetString()!)).ToList();
        await s.Until("every event of the project was delivered", TimeSpan.FromMinutes(1), () =>
        {
            var missing = events.Select(e => e.Id).Except(s.Receiver.All.Select(d => d.Id)).Count();
            return Task.FromResult((missing == 0, missing == 0 ? $"{events.Count} events, {s.Receiver.All.Count} deliveries" : $"{missing} of {events.Count} are missing"));
        });
        var got = s.Receiver.All;
        var wrong = events.GroupBy(e => e.Subject).Where(g => !got.Where(d => d.Subject == g.Key).Select(d => d.Id).Distinct().Take(g.Count()).SequenceEqual(g.Select(e => e.Id))).Select(g => g.Key).ToList();
        s.Expect(wrong.Count == 0, "those of each resource came in order", $"{events.Select(e => e.Subject).Distinct().Count()} resources", string.Join(", ", wrong));
        s.Expect(s.Receiver.Refused == 0, "every signature was right", $"{got.Count} verified", $"{s.Receiver.Refused} were not");
        s.Exhibit("deliveries, the first 12", got.Take(12).Select(d => $"{d.Sequence}  {d.Type,-52} {d.Subject}"));

        using var http = new HttpClient();
        using var forged = new HttpRequestMessage(HttpMethod.Post, s.Receiver.Url) { Content = new StringContent("{}") };
        foreach (var (name, value) in new[] { ("webhook-id", "x"), ("webhook-timestamp", $"{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()}"), ("webhook-signature", "v1,AAAA") }) forged.Headers.Add(name, value);
        using var answer = await http.SendAsync(forged, s.Stop);
        s.Expect((int)answer.StatusCode == 401, "a forged one is refused", "401", $"{(int)answer.StatusCode}");
        s.Measure("webhook deliveries, signatures verified", $"{got.Count}");
    }
}
