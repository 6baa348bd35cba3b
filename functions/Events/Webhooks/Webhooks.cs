using System.Text.RegularExpressions;
using Cloud.Platform;
using Cloud.Platform.Events;
using Cloud.Platform.Net;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Events.Webhooks;

/// <summary>Webhooks as clients see them. docs/webhooks.md says what they get.</summary>
public static partial class Webhooks
{
    private const int MostFilters = 50;

    public static readonly Rows<Webhook> Rows = new("webhook", "events") { Shared = w => w.AllProjects };
    public static readonly Quota Quota = new("events", new Dictionary<string, long> { ["webhooks"] = 20 });

    public static readonly Kind<Webhook> Kind = new(Rows, "webhooks", "/v1/webhooks", OwnService.Dialect("events"))
    {
        Sees = "events:webhook_get", ListsAll = "events:webhook_all",
        // Who receives the whole cloud's events is not for the members of the project that it happens to be in.
        Within = (c, w) => !w.AllProjects || c.Allows("events:webhook_all", default), SharedWith = (_, _) => false,
        Charges = (Quota, Quota.CountsEach(Rows, "webhooks"), (what, asked, used, limit) => new(413, $"{asked} {what} more than the {used} in use would exceed the limit of {limit}.")),
        Check = Check,
        CheckDelete = (_, draft) =>
        {
            draft.Messages.Add(Wake.Of(draft.Item).Message("gone"));
            return ValueTask.CompletedTask;
        },
        Extend = (w, c, hook, _) => w.Objects("keys", hook.Keys, key =>
        {
            w.WriteString("id", key.Id);
            w.WriteString("created_at", c.Dialect.Time(key.CreatedAt));
        }),
    };

    private static Route Created => Kind.Create("events:webhook_write");

    public static readonly Route[] Routes =
    [
        Kind.List("events:webhook_get"), Kind.Show("events:webhook_get"), Kind.Update("events:webhook_write"), Kind.Delete("events:webhook_write"),
        Created with { Run = async c => WithSecret(c, 201, await Kind.Create(c, "events:webhook_write", c.Body("webhook"), null)) },
        new("POST", "/v1/webhooks/{id}/pause", "events:webhook_write", async c => Kind.One1(c, 200, await Kind.Change(c, "events:webhook_write", d => d.Item = d.Item with { Status = Webhook.Paused, StatusReason = "" }))),
        new("POST", "/v1/webhooks/{id}/resume", "events:webhook_write", async c => Kind.One1(c, 200, await Kind.Change(c, "events:webhook_write", d => d.Item = d.Item with { Status = Webhook.Active, StatusReason = "" }))),
        .. Rotation.Routes, .. Trying.Routes, .. Deliveries.Routes,
    ];

    /// <summary>The only answers that tell the newest key's secret: those to whom made it.</summary>
    public static Reply WithSecret(Call c, int status, Webhook hook) => Reply.Object(status, w =>
    {
        w.WritePropertyName("webhook");
        Kind.WriteItem(w, c, hook);
        w.WriteString("secret", hook.Keys[0].Secret);
    });

    private static async ValueTask Check(Call c, Draft<Webhook> draft)
    {
        var hook = draft.Item;
        try { c.Services.Outbound.Check(hook.Url); }
        catch (OutboundException e) { throw Fault.BadRequest(e.Message); }
        if (hook.AllProjects) c.Require("events:webhook_all", default);
        if (hook.Projects.Length > 0 && !hook.AllProjects) throw Fault.BadRequest("projects is for webhooks of all projects.");
        Each("types", hook.Types, TypePattern());
        Each("kinds", hook.Kinds, KindName());
        Each("subjects", hook.Subjects, Name());
        Each("projects", hook.Projects, Name());
        if (draft.Old is null)
        {
            var from = await Reading.From(c.Services, hook.Log, hook.Cursor.Length == 0 ? "now" : hook.Cursor, c.Cancelled);
            draft.Item = hook with { Cursor = EventBody.Text(from), Keys = [Signature.NewKey(c.Services.Ids.New(), c.Now)] };
        }
        // Another process may not know of it for a moment.
        draft.Messages.Add((Wake.Of(draft.Item) with { Fresh = draft.Old is not null }).Now(c.Services));
        draft.Messages.Add(Wake.Of(draft.Item).At(c.Now + (Listeners.Life * 2), c.Services.Ids.New()));
        draft.After.Add(() =>
        {
            Listeners.Of(c.Services).Forget(hook.Log);
            return ValueTask.CompletedTask;
        });
    }

    private static void Each(string field, string[] values, Regex form)
    {
        if (values.Length > MostFilters) throw Fault.BadRequest($"{field} holds at most {MostFilters} values.");
        if (!Array.TrueForAll(values, v => v.Length <= 255 && form.IsMatch(v))) throw Fault.BadRequest($"{field} holds a value that can't be one.");
    }

    /// <summary>A project is gone: so are its webhooks.</summary>
    public static async Task OnEvent(Services s, Event gone, CancellationToken ct)
    {
        if (gone.Type != "cloud.serverless.identity.project.deleted") return;
        foreach (var hook in await Rows.InProject(s.Store, gone.Subject, ct))
            if (await Rows.Get(s.Store, gone.Subject, hook.Id, ct) is { } found) await Rows.Remove(s, found, new("", ""), messages: [Wake.Of(hook).Message("gone")], ct: ct);
        Listeners.Of(s).Forget(gone.Subject);
        Listeners.Of(s).Forget("");
    }

    [GeneratedRegex(@"^(\*|[a-z0-9_-]+(\.[a-z0-9_-]+)*(\.\*)?)\z")] private static partial Regex TypePattern();
    [GeneratedRegex(@"^[a-z0-9_-]+\.[a-z0-9_-]+\z")] private static partial Regex KindName();
    [GeneratedRegex(@"^[\x21-\x7e]+\z")] private static partial Regex Name();
}
