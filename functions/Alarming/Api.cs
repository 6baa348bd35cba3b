using System.Text.Json;
using System.Text.Json.Nodes;
using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
using Cloud.Platform.State;
using Cloud.Telemetry;

namespace Cloud.Alarming;

/// <summary>Aodh's API, version 2. See docs/telemetry.md.</summary>
public static class Api
{
    private const string One = "/v2/alarms/{id}";
    private static readonly string[] Fields = ["alarm_id", "all_projects", "user_id", "project_id", "type", "name", "enabled", "state", "severity", "timestamp", "repeat_actions"], HistoryFields = ["alarm_id", "type", "user_id", "project_id", "on_behalf_of", "timestamp"];

    public static readonly Slice Slice = new("alarming", "alarming", AodhDialect.Value,
    [
        new("GET", "/", Policy.Anyone, c => new(Versions(c))), new("GET", "/v2", Policy.Anyone, c => new(Versions(c))),
        new("GET", "/v2/alarms", "alarming:get", async c =>
        {
            var (filters, all) = Listing.Simple(c, Fields);
            var found = (await Visible(c, all, filters.FirstOrDefault(f => f.Field == "project_id").Value)).Where(a => filters.All(f => Listing.Is(a.Read(f.Field), f.Value)));
            return Many(Listing.Page(c, found, (a, f) => a.Read(f), a => a.Id, "timestamp"), (w, a) => a.Write(w));
        }),
        new("POST", "/v2/alarms", "alarming:write", Create),
        new("GET", One, "alarming:get", async c => { var a = await Load(c, "alarming:get"); return Reply.Of(200, a.Item.Write); }),
        new("PUT", One, "alarming:write", Update),
        new("DELETE", One, "alarming:write", Delete),
        new("GET", One + "/state", "alarming:get", async c => { var a = await Load(c, "alarming:get"); return Reply.Of(200, w => w.WriteStringValue(a.Item.State)); }),
        new("PUT", One + "/state", "alarming:write", SetState),
        new("GET", One + "/history", "alarming:get", async c =>
        {
            var a = (await Load(c, "alarming:get")).Item;
            var (filters, _) = Listing.Simple(c, HistoryFields);
            var found = (await Changes.List(c.Store, a.ProjectId, a.Id, c.Cancelled)).Where(h => filters.All(f => Listing.Is(h.Read(f.Field), f.Value)));
            return Many(Listing.Page(c, found, (h, f) => h.Read(f), h => h.Id, "timestamp:desc"), (w, h) => h.Write(w));
        }),
        new("POST", "/v2/query/alarms", "alarming:get", async c => Many(Listing.Query(c, await Visible(c, all: true, null), (a, f) => a.Read(f), a => a.Id), (w, a) => a.Write(w))),
        new("POST", "/v2/query/alarms/history", "alarming:get", async c => Many(Listing.Query(c, await Changes.List(c.Store, c.ProjectId, null, c.Cancelled), (h, f) => h.Read(f), h => h.Id), (w, h) => h.Write(w))),
        new("GET", "/v2/capabilities", "alarming:capabilities", _ => new(Reply.Object(200, w =>
        {
            w.Object("api", () => { foreach (var name in (string[])["alarms:query:simple", "alarms:query:complex", "alarms:history:query:simple", "alarms:history:query:complex"]) w.WriteBoolean(name, true); });
            w.Object("alarm_storage", () => w.WriteBoolean("storage:production_ready", true));
        }))),
        new("GET", "/v2/quotas", "alarming:get", async c =>
        {
            var project = c.First("project_id") ?? c.ProjectId;
            if (project != c.User!.ProjectId) c.Require("alarming:get_all", default);
            return await Quotas(c, 200, project);
        }),
        new("POST", "/v2/quotas", "alarming:quotas", async c =>
        {
            if (c.Json.ValueKind != JsonValueKind.Object || !c.Json.TryGetProperty("project_id", out var p) || p.ValueKind != JsonValueKind.String || p.GetString() is not { Length: > 0 and <= 64 } project || !c.Json.TryGetProperty("quotas", out var list) || list.ValueKind != JsonValueKind.Array
                || list.EnumerateArray().Any(q => q.ValueKind != JsonValueKind.Object || !q.TryGetProperty("resource", out var r) || r.ToString() != "alarms" || !q.TryGetProperty("limit", out var l) || l.ValueKind != JsonValueKind.Number || !l.TryGetInt32(out var n) || n < -1)) throw Fault.BadRequest("The body must be {\"project_id\": ..., \"quotas\": [{\"resource\": \"alarms\", \"limit\": N}]}.");
            await Alarm.Quota.Set(c.Store, project, list.EnumerateArray().TakeLast(1).ToDictionary(q => "alarms", q => (long)q.GetProperty("limit").GetInt32()));
            return await Quotas(c, 201, project);
        }),
        new("DELETE", "/v2/quotas/{project}", "alarming:quotas", async c => { await Alarm.Quota.Set(c.Store, c.Args["project"], null); return Reply.Empty(204); }),
        new("GET", "/v2/signing_secrets", "alarming:write", async c => { var secrets = await Notices.Secrets(c.Services, c.ProjectId, c.Cancelled); return Reply.Object(200, w => Notices.Write(w, secrets)); }),
        new("POST", "/v2/signing_secrets/rotate", "alarming:write", async c => { var secrets = await Notices.Rotate(c.Services, c.ProjectId, c.Cancelled); return Reply.Object(200, w => Notices.Write(w, secrets)); }),
    ])
    {
        CatalogName = "aodh", OnEvent = EventAlarms.OnEvent, Leftovers = [Alarm.Rows.Pointers],
        Queues =
        [
            new QueueTrigger("queue-metric-watch", Facade.Arrivals, 8, Sessions: false, Evaluation.OnArrival), new QueueTrigger("queue-alarm-due", Transitions.Due, 8, Sessions: false, Evaluation.OnDue),
            new QueueTrigger("queue-alarm-notify", Notices.Queue, 16, Sessions: false, Notices.Send),
        ],
    };

    private static Reply Versions(Call c) => Reply.Object(200, w => w.Object("versions", () => w.Objects("values", [0], _ =>
    {
        w.WriteString("id", "v2");
        w.WriteString("status", "stable");
        w.WriteString("updated", "2013-02-13T00:00:00Z");
        w.Links(("self", c.BaseUrl + "/v2"));
    })));

    private static Reply Many<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => Reply.Of(200, w =>
    {
        w.WriteStartArray();
        foreach (var item in items) write(w, item);
        w.WriteEndArray();
    });

    private static async ValueTask<IEnumerable<Alarm>> Visible(Call c, bool all, string? project)
    {
        if (!all && (project is null || project == c.User?.ProjectId)) return await Alarm.Rows.InProject(c.Store, c.ProjectId, c.Cancelled);
        if (c.Allows("alarming:get_all", default)) return await Alarm.Rows.Everywhere(c.Store, c.Cancelled);
        return project is null || project == c.User?.ProjectId ? await Alarm.Rows.InProject(c.Store, c.ProjectId, c.Cancelled) : throw new Fault(401, $"Not Authorized to access project {project[..Math.Min(64, project.Length)]}");
    }

    private static async ValueTask<Loaded<Alarm>> Load(Call c, string policy)
    {
        var found = await Alarm.Rows.Find(c.Store, c.Args["id"], c.User?.ProjectId, c.Cancelled);
        if (found is null || !(c.Allows("alarming:get", new(found.Item.ProjectId)) || c.Allows("alarming:get_all", default))) throw new Fault(404, $"Alarm {c.Args["id"][..Math.Min(64, c.Args["id"].Length)]} not found");
        c.Require(policy, policy == "alarming:get" ? new(c.User?.ProjectId) : new(found.Item.ProjectId));
        return found;
    }

    private static async ValueTask<Reply> Create(Call c)
    {
        for (var attempt = 0; ; attempt++)
        {
            var blank = new Alarm { Id = c.Services.Ids.New(), ProjectId = c.ProjectId, UserId = c.Caller.UserId, CreatedAt = c.Now, DefinedAt = c.Now, StateAt = c.Now };
            var a = AlarmBody.Read(c, blank, null);
            var rule = Rule.Of(a);
            await rule.Check(c.Services, c.Cancelled);
            if (a.ProjectId != c.ProjectId && !await Identity.Facade.Lives(c.Services, a.ProjectId)) throw new Fault(400, $"There is no project {a.ProjectId}");
            var reserved = await Alarm.Quota.Reserve(c.Store, a.ProjectId, Alarm.Charges(a), (_, _, _, _) => new(403, $"Alarm quota exceeded for user {a.UserId} on project {a.ProjectId}"));
            var changes = await Changes.Of(c.Services, a, "creation", Detail(a), a.UserId);
            // Watched before it is there: what isn't there when samples come is ignored.
            await Watch(c, a, rule);
            try
            {
                a = await Alarm.Rows.Save(c.Services, a, null, Change.By(c), [.. reserved, .. changes], [Transitions.Look(a, c.Now, soon: true)], c.Cancelled);
                return Reply.Of(201, a.Write).With("Location", $"{c.BaseUrl}/v2/alarms/{a.Id}");
            }
            catch (ConflictException) when (attempt < 20) { await Unwatch(c, a, rule); }
        }
    }

    private static async ValueTask<Reply> Update(Call c)
    {
        for (var attempt = 0; ; attempt++)
        {
            var was = await Load(c, "alarming:write");
            var a = AlarmBody.Read(c, was.Item with { DefinedAt = c.Now, Due = null }, was.Item);
            if (a.State != was.Item.State) a = a with { StateAt = c.Now, StateReason = "Manually set via API" };
            var rule = Rule.Of(a);
            await rule.Check(c.Services, c.Cancelled);
            var changes = await Changes.Of(c.Services, a, "rule change", Detail(a), c.Caller.UserId);
            await Watch(c, a, rule);
            try { a = await Alarm.Rows.Save(c.Services, a, was, Change.By(c), changes, [Transitions.Look(a, c.Now, soon: true)], c.Cancelled); }
            catch (ConflictException) when (attempt < 20) { continue; }
            // What only the old rule was about is watched no longer.
            var still = rule.Questions.ToList();
            await Facade.Unwatch(c.Services, a.Id, Rule.Of(was.Item).Questions, c.Cancelled);
            await Facade.Watch(c.Services, a.Id, still, c.Cancelled);
            if (was.Item.Type == "event" && a.Type != "event") await EventAlarms.Of(c.Services).Note(a, false);
            return Reply.Of(200, a.Write);
        }
    }

    private static async ValueTask<Reply> Delete(Call c)
    {
        for (var attempt = 0; ; attempt++)
        {
            var was = await Load(c, "alarming:write");
            try { await Alarm.Rows.Remove(c.Services, was, Change.By(c), await Changes.Removal(c.Store, was.Item, c.Cancelled), ct: c.Cancelled); }
            catch (ConflictException) when (attempt < 20) { continue; }
            await Unwatch(c, was.Item, Rule.Of(was.Item));
            return Reply.Empty(204);
        }
    }

    private static async ValueTask<Reply> SetState(Call c)
    {
        var state = c.Json.ValueKind == JsonValueKind.String && Alarm.States.Contains(c.Json.GetString()) ? c.Json.GetString()! : throw Fault.BadRequest("state invalid");
        for (var attempt = 0; ; attempt++)
        {
            var was = await Load(c, "alarming:write");
            var a = was.Item with { State = state, StateAt = c.Now, StateReason = "Manually set via API" };
            try
            {
                await Alarm.Rows.Save(c.Services, a, was, Change.By(c), await Changes.Of(c.Services, a, "state transition", new() { ["state"] = state, ["transition_reason"] = a.StateReason }, c.Caller.UserId), ct: c.Cancelled);
                return Reply.Of(200, w => w.WriteStringValue(state));
            }
            catch (ConflictException) when (attempt < 20) { }
        }
    }

    private static async ValueTask Watch(Call c, Alarm a, Rule rule)
    {
        if (a.Type == "event") await EventAlarms.Of(c.Services).Note(a, true);
        else await Facade.Watch(c.Services, a.Id, rule.Questions, c.Cancelled);
    }

    private static async ValueTask Unwatch(Call c, Alarm a, Rule rule)
    {
        if (a.Type == "event") await EventAlarms.Of(c.Services).Note(a, false);
        else await Facade.Unwatch(c.Services, a.Id, rule.Questions, c.Cancelled);
    }

    /// <summary>The definition as history shows it: addresses of receivers may be secrets and are left out.</summary>
    private static JsonObject Detail(Alarm a) => new() { ["name"] = a.Name, ["type"] = a.Type, ["enabled"] = a.Enabled, ["severity"] = a.Severity, ["state"] = a.State, ["repeat_actions"] = a.RepeatActions, ["time_constraints"] = JsonSerializer.SerializeToNode(a.TimeConstraints.Select(t => t.Name)), ["rule"] = JsonNode.Parse(a.Rule.GetRawText()) };

    private static async ValueTask<Reply> Quotas(Call c, int status, string project)
    {
        var limits = await Alarm.Quota.LimitsOf(c.Store, project);
        return Reply.Object(status, w =>
        {
            w.WriteString("project_id", project);
            w.Objects("quotas", limits, l => { w.WriteString("resource", l.Key); w.WriteNumber("limit", l.Value); });
        });
    }
}
