using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Events;

/// <summary>
/// Durable subscriptions by AMQP 1.0: a receiver that signs in with an application credential attaches to the address <c>events</c>; the name of its link names
/// the subscription, whose cursor is kept. Also seen and removed by HTTP.
/// </summary>
public static partial class Subscriptions
{
    private const int Most = 50;
    private sealed record Row(long Cursor, DateTimeOffset CreatedAt, DateTimeOffset UsedAt);

    public static readonly Route[] Routes =
    [
        new("GET", "/v1/subscriptions", "events:get", async c =>
        {
            var (rows, head) = (await All(c.Services, c.ProjectId, c.Cancelled), (await EventLog.Head(c.Store, c.ProjectId, c.Cancelled)).Head);
            return Reply.Object(200, w => w.Objects("subscriptions", rows, r =>
            {
                var row = Json.Read<Row>(r.Body);
                w.WriteString("name", r.Key);
                w.WriteString("cursor", EventBody.Text(row.Cursor));
                w.WriteNumber("unread", head.Last - row.Cursor);
                w.WriteString("created_at", c.Dialect.Time(row.CreatedAt));
                w.WriteString("used_at", c.Dialect.Time(row.UsedAt));
            }));
        }),
        new("DELETE", "/v1/subscriptions/{name}", "events:webhook_write", async c =>
        {
            // One that is not there is as good as ended.
            await c.Store.Commit(Partition(c.ProjectId), [new Op.Delete(c.Args["name"])], ct: c.Cancelled);
            return Reply.Empty(204);
        }),
    ];

    /// <summary>Who signs in with the id and the secret of an application credential; null when that is wrong.</summary>
    public static async ValueTask<AmqpGuest?> Admit(Services s, string user, string secret)
    {
        if (await Identity.Facade.OfApplicationCredential(s, user, secret) is not { } check || await Reads(s, check) is not { } project) return null;
        return new(user, (address, name) => Open(s, check, project, address, name));
    }

    /// <summary>The project whose events he may read now; null for none.</summary>
    private static async ValueTask<string?> Reads(Services s, Func<ValueTask<Caller?>> check) =>
        await check() is { ProjectId: { } project } caller && s.Policy.Allows("events:get", caller, new(project)) && caller.AccessRules?.Any(r => r.Allows("events", "GET", "/v1/events")) != false ? project : null;

    private static async ValueTask<IAmqpTopic> Open(Services s, Func<ValueTask<Caller?>> check, string project, string address, string name)
    {
        if (!NameOf().IsMatch(name)) throw new AmqpRefusal("amqp:invalid-field", "the name of the link must be 1 to 100 of the characters a-z A-Z 0-9 . _ -");
        var (path, query) = address.Split('?', 2) is [var p, var q] ? (p, q) : (address, "");
        if (path != "events") throw new AmqpRefusal("amqp:not-found", "there is only the address events");
        var asked = new Dictionary<string, string>();
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
            if (part.Split('=', 2) is not [var key and ("type" or "subject" or "cursor"), var value] || !asked.TryAdd(key, Uri.UnescapeDataString(value))) throw new AmqpRefusal("amqp:invalid-field", "the address knows type, subject and cursor");
        var row = await s.Store.Get(Partition(project), name);
        if (row is null && (await All(s, project)).Count >= Most) throw new AmqpRefusal("amqp:resource-limit-exceeded", $"a project has at most {Most} subscriptions");
        long from;
        // One that was away for longer than events are kept goes on with what there is.
        if (row is not null) from = Math.Max(Json.Read<Row>(row.Body).Cursor, (await EventLog.Head(s.Store, project)).Head.Trimmed);
        else
        {
            try { from = await Reading.From(s, project, asked.GetValueOrDefault("cursor", "now"), default); }
            catch (Fault f) { throw new AmqpRefusal("amqp:invalid-field", f.Message); }
        }
        await s.Store.Commit(Partition(project), [new Op.Upsert(name, Json.Write(new Row(from, row is null ? s.Now : Json.Read<Row>(row.Body).CreatedAt, s.Now)))]);
        return new Topic(s, check, project, name, new Reading(s, project, all: false, asked.GetValueOrDefault("type"), asked.GetValueOrDefault("subject"), from));
    }

    private sealed class Topic(Services s, Func<ValueTask<Caller?>> check, string project, string name, Reading reading) : IAmqpTopic
    {
        private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

        public string Name => $"{project}/{name}";

        public async ValueTask<IReadOnlyList<AmqpItem>> Next(int most, CancellationToken ct)
        {
            var found = await reading.Next(Math.Min(most, 100), Silence, ct);
            // After the wait, in which much can change.
            if (await Reads(s, check) != project) throw new UnauthorizedAccessException();
            return [.. found.Select(e => new AmqpItem(e.ProjectNumber, e.EventId, e.Event!.Value.GetProperty("type").GetString()!, e.Event.Value.GetProperty("subject").GetString()!, EventBody.One, EventBody.Of(e, all: false)))];
        }

        public async ValueTask Settled(long number, CancellationToken ct)
        {
            if (await s.Store.Get(Partition(project), name, ct) is not { } row) throw new UnauthorizedAccessException();
            try { await s.Store.Commit(Partition(project), [new Op.Replace(name, Json.Write(Json.Read<Row>(row.Body) with { Cursor = number, UsedAt = s.Now }), row.ETag)], ct: ct); }
            catch (ConflictException) { throw new UnauthorizedAccessException(); }
        }
    }

    /// <summary>A project is gone: so are its subscriptions.</summary>
    public static async Task OnEvent(Services s, Event gone, CancellationToken ct)
    {
        if (gone.Type != "cloud.serverless.identity.project.deleted") return;
        foreach (var some in (await All(s, gone.Subject, ct)).Chunk(100)) await s.Store.Commit(Partition(gone.Subject), [.. some.Select(r => new Op.Delete(r.Key))], ct: ct);
    }

    private static ValueTask<IReadOnlyList<Platform.State.Row>> All(Services s, string project, CancellationToken ct = default) => s.Store.List(Partition(project), "", char.MaxValue.ToString(), ct: ct);

    private static string Partition(string project) => "subscriptions." + project;

    [GeneratedRegex(@"^[a-zA-Z0-9._-]{1,100}\z")] private static partial Regex NameOf();
}
