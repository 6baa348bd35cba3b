using System.Text;
using System.Text.Json;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Net;
using Cloud.Platform.State;

namespace Cloud.Alarming;

/// <summary>What a receiver is told.</summary>
internal sealed record Notice
{
    public string Alarm { get; init; } = "";
    public string Project { get; init; } = "";
    public string Action { get; init; } = "";
    /// <summary>The same however often it is sent: a receiver knows a repeat by it.</summary>
    public string Id { get; init; } = "";
    public string Body { get; init; } = "";
}

/// <summary>The secrets that a project's notices are signed with: the newest and the one before.</summary>
internal sealed record SigningSecrets
{
    public string[] Live { get; init; } = [];
}

/// <summary>Tells receivers of alarms, signed as Standard Webhooks says. A receiver that fails is asked a few times more and then left alone: the history says what happened.</summary>
internal static class Notices
{
    public const string Queue = "alarm-notify";
    private const int Attempts = 5;
    private const string Key = "alarming-secret|";

    public static async Task Send(Services s, Delivery d, CancellationToken ct)
    {
        var notice = Json.Read<Notice>(d.Message.Body);
        var body = Encoding.UTF8.GetBytes(notice.Body);
        try
        {
            var status = await s.Outbound.Post(notice.Action, body, "application/json", WebhookSignature.Headers((await Secrets(s, notice.Project, ct)).Live, notice.Id, s.Now, body), OutboundLimits.Notification, ct);
            if (status is < 200 or > 299) throw new OutboundException($"the receiver answered {status}");
        }
        catch (OutboundException) when (d.Attempt >= Attempts) { /* that was the last time */ }
    }

    public static async ValueTask<SigningSecrets> Secrets(Services s, string project, CancellationToken ct)
    {
        while (true)
        {
            if (await s.Store.Get(project, Key, ct) is { } row) return Json.Read<SigningSecrets>(row.Body);
            try { await s.Store.Commit(project, [new Op.Insert(Key, Json.Write(new SigningSecrets { Live = [WebhookSignature.NewSecret()] }))], ct: ct); }
            catch (ConflictException) { /* another made one */ }
        }
    }

    /// <summary>A new secret signs beside the old one, until the next.</summary>
    public static async ValueTask<SigningSecrets> Rotate(Services s, string project, CancellationToken ct)
    {
        while (true)
        {
            var was = await Secrets(s, project, ct);
            var row = (await s.Store.Get(project, Key, ct))!;
            var next = new SigningSecrets { Live = [WebhookSignature.NewSecret(), was.Live[0]] };
            try
            {
                await s.Store.Commit(project, [new Op.Replace(Key, Json.Write(next), row.ETag)], ct: ct);
                return next;
            }
            catch (ConflictException) { /* again, from the other's */ }
        }
    }

    public static void Write(Utf8JsonWriter w, SigningSecrets secrets)
    {
        w.WriteStartArray("secrets");
        foreach (var secret in secrets.Live) w.WriteStringValue(secret);
        w.WriteEndArray();
    }
}
