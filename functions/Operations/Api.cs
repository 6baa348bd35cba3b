using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Agents;
using Cloud.Platform.Rest;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Operations;

/// <summary>What operators look at and may do about it. docs/operating.md says what each thing means.</summary>
public static class Api
{
    private static readonly JsonSerializerOptions Wire = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static readonly Slice Slice = new("ops", "operations", OwnService.Dialect("ops"),
    [
        new("GET", "/", Policy.Anyone, OwnService.Versions), new("GET", "/v1", Policy.Anyone, OwnService.Versions),
        new("GET", "/v1/queues", "ops:read", async c =>
        {
            OwnService.OnlyKnows(c);
            return Of("queues", (await DeadLetters.Queues(c.Services, c.Cancelled)).Select(q => new { q.Name, Messages = q.Depth, DeadLetters = q.Dead }));
        }),
        new("GET", "/v1/metrics", "ops:read", async c =>
        {
            OwnService.OnlyKnows(c);
            return new() { Status = 200, Text = await Prometheus.Text(c.Services, c.Cancelled), ContentType = Prometheus.ContentType };
        }),
        new("GET", "/v1/dead-letters", "ops:read", Letters),
        new("POST", "/v1/dead-letters/{queue}/{id}/replay", "ops:change", async c =>
            await c.Services.Bus.Replay(c.Args["queue"], c.Args["id"], c.Cancelled) ? Reply.Empty(202) : throw Fault.NotFound("message", c.Args["id"])),
        new("GET", "/v1/sagas", "ops:read", InFlight),
        new("GET", "/v1/object-stores", "ops:read", c =>
        {
            OwnService.OnlyKnows(c);
            var (objects, found) = (c.Services.Objects, c.Services.Objects.Health);
            return new(Reply.Of(200, JsonSerializer.SerializeToNode(new { Stores = objects.Replicas.Select(r => r.Name), objects.Copies, found.Missing, found.Corrupt, found.CopiesRepaired, found.Lost, found.Failures }, Wire)!));
        }),
        new("POST", "/v1/hosts/{host}/credential", "ops:change", async c =>
            Reply.Of(201, new JsonObject { ["host"] = Host(c), ["user"] = "host." + Host(c), ["queue"] = Names.HostQueue(Host(c)), ["secret"] = await HostKeys.Make(c.Store, Host(c)) }).With("Cache-Control", "no-store")),
        new("DELETE", "/v1/hosts/{host}/credential", "ops:change", async c =>
        {
            await HostKeys.Void(c.Store, Host(c));
            return Reply.Empty(204);
        }),
        new("GET", "/v1/alerts", "ops:read", async c =>
        {
            OwnService.OnlyKnows(c, "limit");
            return Of("alerts", await Alerts.List(c.Store, OwnService.Limit(c), c.Cancelled));
        }),
        new("DELETE", "/v1/alerts/{id}", "ops:change", async c => await Alerts.Done(c.Store, c.Args["id"], c.Cancelled) ? Reply.Empty(204) : throw Fault.NotFound("alert", c.Args["id"])),
    ])
    {
        CatalogName = "operations", CatalogPath = "/v1", OnEvent = Alerts.OnEvent, Jobs = [new("forget-alerts", TimeSpan.FromHours(6), Alerts.Forget)],
    };

    private static string Host(Call c) => c.Args["host"] is { Length: <= 64 } name && name.All(ch => char.IsAsciiLetterOrDigit(ch) || ch == '-') ? name : throw Fault.BadRequest("A host's name is 1 to 64 letters, digits and hyphens.");

    private static async ValueTask<Reply> Letters(Call c)
    {
        OwnService.OnlyKnows(c, "queue", "limit");
        var (limit, only, found) = (OwnService.Limit(c), c.First("queue"), new List<object>());
        foreach (var (queue, _, dead) in await DeadLetters.Queues(c.Services, c.Cancelled))
            if (dead > 0 && (only is null || only == queue))
                foreach (var d in await c.Services.Bus.DeadLetters(queue, limit - found.Count, c.Cancelled))
                    found.Add(new { Queue = queue, d.Message.Id, About = DeadLetters.About(d.Message), d.Reason, d.Attempts, d.At, d.Message.Session, Bytes = d.Message.Body.Length });
        return Of("dead_letters", found);
    }

    /// <summary>Sagas that have not ended, the longest running first.</summary>
    private static async ValueTask<Reply> InFlight(Call c)
    {
        OwnService.OnlyKnows(c, "limit");
        var (limit, found) = (OwnService.Limit(c), new List<(string Project, SagaRow Row)>());
        var (from, to) = Keys.Range("saga|");
        await foreach (var row in c.Store.Scan(from, to, c.Cancelled)) found.Add((row.Partition, Json.Read<SagaRow>(row.Body)));
        return Of("sagas", found.OrderBy(f => f.Row.Id, StringComparer.Ordinal).Take(limit).Select(f => new
        {
            f.Row.Id, f.Row.Name, ProjectId = f.Project, Resource = f.Row.Key, Step = c.Services.Sagas.Find(f.Row.Name)?.Steps.ElementAtOrDefault(f.Row.Step) ?? (f.Row.Step < 0 ? "undone" : "end"),
            Direction = f.Row.Unwinding ? "undoing" : "forward", WaitingFor = f.Row.Waiting.Where(w => !w.Done).Select(w => w.Host).Distinct(), f.Row.Deadline, Overdue = c.Now > f.Row.Deadline, f.Row.Error, f.Row.RequestId,
        }));
    }

    private static Reply Of<T>(string name, IEnumerable<T> items) => Reply.Of(200, w =>
    {
        w.WriteStartObject();
        w.WritePropertyName(name);
        JsonSerializer.Serialize(w, items, Wire);
        w.WriteEndObject();
    });
}
