using System.Text.Json.Nodes;

namespace Cloud.Bench;

/// <summary>How many events a second get from the outbox through the log to a receiver of webhooks on this machine.</summary>
internal sealed class Delivery(BenchOptions options, string data)
{
    private const int Events = 20_000, Subjects = 500;
    public const int Goal = 2000;

    /// <summary>Events a second, and the control plane's CPU-ms for each; 0 a second when something was lost or forged.</summary>
    public async Task<(double PerSecond, double CpuMs)> Measure()
    {
        var state = Directory.CreateDirectory(Path.Combine(data, "delivery")).FullName;
        var settings = Path.Combine(state, "settings.json");
        await File.WriteAllTextAsync(settings, """{"outbound_opened":["127.0.0.1/32"]}""");
        using var receiver = new WebhookReceiver { Wanted = Events };
        string project;
        await using (var cloud = await ControlPlane.Start(options.Cloud, state, 0, settings))
        {
            using var client = new Client(cloud.Url, (await File.ReadAllTextAsync(Path.Combine(state, "admin-password"))).Trim());
            await client.Authenticate();
            project = client.ProjectId;
            var made = (await client.Post("/events/v1/webhooks", new JsonObject { ["webhook"] = new JsonObject { ["url"] = receiver.Url, ["types"] = new JsonArray("cloud.serverless.bench.*") } })).Must("webhook").Json;
            receiver.Key = Convert.FromBase64String(((string)made["secret"]!)["whsec_".Length..]);
            await cloud.Rest(client);
        }
        await Seed.Events(state, project, Events, Subjects);
        await using (var cloud = await ControlPlane.Start(options.Cloud, state, 0, settings))
        {
            await receiver.All.WaitAsync(TimeSpan.FromMinutes(5));
            Console.WriteLine($"{Events} events of {Subjects} resources, signatures verified: {receiver.Forged} forged, {receiver.Repeats} twice");
            return receiver.Forged > 0 ? (0, 0) : (Events / receiver.Took.TotalSeconds, cloud.CpuMs() / Events);
        }
    }
}
