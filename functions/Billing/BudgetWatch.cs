using System.Globalization;
using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.Events;
using Cloud.Platform.State;

namespace Cloud.Billing;

/// <summary>
/// Looks at a budget when something changed in its project, and at the very millisecond at which the next threshold will be reached if nothing does:
/// a message that is due then. A project in which nothing runs is never looked at.
/// </summary>
public static class BudgetWatch
{
    public const string Queue = "budgets";
    private static readonly Announcement Threshold = new("/rating", "cloud.serverless.rating.budget.crossed");
    // What happens within one slot is looked at once, after its end.
    private static readonly TimeSpan Slot = TimeSpan.FromSeconds(10);

    /// <param name="Project">Null: prices changed, look at all.</param>
    /// <param name="Due">The time it was made for; null for a look because of a change.</param>
    private sealed record Wake(string? Project, string? Budget, DateTimeOffset? Due);

    /// <param name="Amount">The budget's, when the thresholds were passed: with another amount they count anew.</param>
    /// <param name="Due">For when the last message was made.</param>
    private sealed record State(string Month, decimal Amount, int[] Passed, DateTimeOffset? Due);

    public static string StateKey(string budget) => "budget-state|" + budget;

    public static Message PricesChanged(Services s) => new(Queue, "prices." + s.Ids.New(), Json.Write(new Wake(null, null, null)));

    /// <summary>A look soon. Named by its slot, so that many changes make one; one that comes while the slot's look is taken is in a later slot.</summary>
    public static Message Soon(Services s, string project, string budget)
    {
        var slot = s.Now.UtcTicks / Slot.Ticks + 1;
        return new(Queue, $"{budget}.{slot.ToString(CultureInfo.InvariantCulture)}", Json.Write(new Wake(project, budget, null)), NotBefore: new(slot * Slot.Ticks, TimeSpan.Zero));
    }

    public static async Task OnEvent(Services s, Event e, CancellationToken ct)
    {
        if (!Metering.Facade.Concerns(e)) return;
        var budgets = await Budgets.Rows.InProject(s.Store, e.ProjectId, ct);
        if (budgets.Count > 0) await s.Bus.Send([.. budgets.Select(b => Soon(s, b.ProjectId, b.Id))], ct);
    }

    public static async Task Handle(Services s, Delivery d, CancellationToken ct)
    {
        var wake = Json.Read<Wake>(d.Message.Body);
        if (wake is { Project: { } project, Budget: { } budget }) await Look(s, project, budget, wake.Due, ct);
        else await foreach (var b in Budgets.Rows.EverywhereInOrder(s.Store, null, 100, ct)) await s.Bus.Send([Soon(s, b.ProjectId, b.Id)], ct);
    }

    public static async ValueTask<Bills.Known> Known(IEntityStore store, string project, Month month, CancellationToken ct) => await Bills.Read(store, project, month.Begin, month.End, ct);

    private static async Task Look(Services s, string project, string id, DateTimeOffset? due, CancellationToken ct)
    {
        while (await Budgets.Rows.Get(s.Store, project, id, ct) is { } budget)
        {
            var row = await s.Store.Get(project, StateKey(id), ct);
            var was = row is null ? null : Json.Read<State>(row.Body);
            if (due is not null && was?.Due != due) return; // another one was made since
            var (now, month) = (s.Now, Month.Of(s.Now));
            var known = await Known(s.Store, project, month, ct);
            if (known.Books.Count == 0) return; // and when prices come, all are looked at
            var (spent, amount) = (Crossing.Spent(known, project, month, now), budget.Item.Amount);
            var passed = was is not null && was.Month == month.Name && was.Amount == amount ? was.Passed : [];
            var reached = budget.Item.Thresholds.Where(p => spent >= amount * p / 100).ToList();
            var next = budget.Item.Thresholds.Where(p => !reached.Contains(p)).Select(p => Crossing.Next(known, project, month, now, amount * p / 100)).FirstOrDefault();
            // With the month spending begins anew, if anything goes on.
            if (next is null && known.Entries.Any(e => e.Interval.To is null)) next = month.End;
            var state = new State(month.Name, amount, [.. passed.Union(reached).Order()], next);
            if (was is not null && (was.Month, was.Amount, was.Due) == (state.Month, state.Amount, state.Due) && was.Passed.SequenceEqual(state.Passed)) return;
            List<Message> messages = [.. reached.Except(passed).Select(p => Crossed(s, budget.Item, month, p, spent, known.Books[0]))];
            if (next is { } at && at != was?.Due) messages.Add(new(Queue, $"{id}.due.{at.ToUnixTimeMilliseconds()}", Json.Write(new Wake(project, id, at)), NotBefore: at));
            var body = Json.Write(state);
            try
            {
                await s.Store.Commit(project, [row is null ? new Op.Insert(StateKey(id), body) : new Op.Replace(StateKey(id), body, row.ETag), new Op.Check(Budgets.Rows.Key(id), budget.ETag)], messages, ct);
                return;
            }
            catch (ConflictException) { /* the budget was changed, or another look was first */ }
        }
    }

    private static Message Crossed(Services s, Budget b, Month month, int percent, decimal spent, PriceBook book) =>
        Threshold.Of(s, $"budget:{b.Id}:{month.Name}:{Money.Text(b.Amount)}:{percent}", b.Id, new()
        {
            ["project_id"] = b.ProjectId, ["name"] = b.Name, ["month"] = month.Name, ["percent"] = percent, ["amount"] = Money.Text(b.Amount), ["spent"] = Money.Text(spent), ["currency"] = book.Currency,
        });
}
