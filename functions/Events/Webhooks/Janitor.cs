using Cloud.Platform;

namespace Cloud.Events.Webhooks;

/// <summary>Every hour: the log of deliveries is trimmed, and a webhook that lags behind is woken, in case its message was given up.</summary>
internal static class Janitor
{
    public static async Task Run(Services s, CancellationToken ct)
    {
        var before = s.Now - TimeSpan.FromDays(await Retention.Days(s.Store, ct));
        await foreach (var hook in Webhooks.Rows.EverywhereInOrder(s.Store, null, 100, ct))
        {
            await DeliveryLog.Trim(s, hook.Id, before, ct);
            if (hook.Status != Webhook.Active) continue;
            var (state, _) = await HookState.Load(s.Store, hook, ct);
            if ((await EventLog.Head(s.Store, hook.Log, ct)).Head.Last > state.Cursor || state.Due < s.Now) await s.Bus.Send([Wake.Of(hook).Message("hourly", state.Slow)], ct);
        }
    }
}
