using System.ComponentModel.DataAnnotations;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Billing;

/// <summary>What a project means to spend in a month. Nothing is stopped when it is reached: an event is sent, once for each threshold and month.</summary>
public sealed record Budget : Resource
{
    [Field(Filter = true, Sort = true)] public new string Id { get => base.Id; init => base.Id = value; }
    [Field(Wire = "project_id")] public string Project => ProjectId;
    [Field(In.Both, Filter = true, Sort = true), MaxLength(255)] public string Name { get; init; } = "";
    /// <summary>In the price book's currency.</summary>
    [Field(In.Both, Required = true)] public decimal Amount { get; init; }
    /// <summary>Percent of the amount.</summary>
    [Field(In.Both)] public int[] Thresholds { get; init; } = [50, 80, 100];
    [Field(Wire = "created_at", Sort = true)] public DateTimeOffset Made => CreatedAt;
    [Field(Wire = "updated_at")] public DateTimeOffset? Changed => UpdatedAt;
}

public static class Budgets
{
    private const decimal Most = 1_000_000_000_000;
    public static readonly Rows<Budget> Rows = new("budget", "rating");
    public static readonly Quota Limits = new("billing", new Dictionary<string, long> { ["budgets"] = 20 });

    public static readonly Kind<Budget> Kind = new(Rows, "budgets", "/v1/budgets", OwnService.Dialect("billing"))
    {
        Sees = "billing:get",
        Check = (c, draft) =>
        {
            if (draft.Item.Amount is <= 0 or > Most || decimal.Round(draft.Item.Amount, 6) != draft.Item.Amount) throw Fault.BadRequest($"amount must be more than 0 and at most {Most}, with up to six places.");
            var t = draft.Item.Thresholds;
            if (t.Length is 0 or > 10 || t.Any(p => p is < 1 or > 1000) || t.Distinct().Count() != t.Length) throw Fault.BadRequest("thresholds must be 1 to 10 different whole numbers from 1 to 1000: percent of the amount.");
            draft.Item = draft.Item with { Thresholds = [.. t.Order()] };
            draft.Messages.Add(BudgetWatch.Soon(c.Services, draft.Item.ProjectId, draft.Item.Id));
            return ValueTask.CompletedTask;
        },
        CheckDelete = (_, draft) =>
        {
            draft.Ops.Add(new Op.Delete(BudgetWatch.StateKey(draft.Item.Id)));
            return ValueTask.CompletedTask;
        },
        Charges = (Limits, Limits.CountsEach(Rows, "budgets"), (_, _, used, limit) => new(413, $"{used} budgets are there; the limit is {limit}.")),
    };

    public static readonly Route[] Routes =
    [
        Kind.List("billing:get"), Kind.Show("billing:get"), Kind.Create("billing:budget"), Kind.Update("billing:budget"), Kind.Delete("billing:budget"),
        new("GET", "/v1/budgets/{id}/status", "billing:get", async c =>
        {
            OwnService.OnlyKnows(c);
            var budget = (await Kind.Load(c, "billing:get")).Item;
            var (month, known) = (Month.Of(c.Now), await BudgetWatch.Known(c.Store, budget.ProjectId, Month.Of(c.Now), c.Cancelled));
            decimal Spent(DateTimeOffset until) => Crossing.Spent(known, budget.ProjectId, month, until);
            var (spent, next) = (Spent(c.Now), budget.Thresholds.FirstOrDefault(p => Spent(c.Now) < budget.Amount * p / 100));
            return Reply.Object(200, w =>
            {
                w.WriteString("month", month.Name);
                w.WriteString("currency", known.Books.Count > 0 ? known.Books[0].Currency : null);
                w.WriteString("spent", Money.Text(spent));
                w.WriteString("percent", Money.Text(decimal.Round(spent * 100 / budget.Amount, 2)));
                w.WriteString("spent_at_months_end_if_nothing_changes", Money.Text(Spent(month.End)));
                w.WritePropertyName("next_threshold");
                if (next == 0) w.WriteNullValue(); else w.WriteNumberValue(next);
                w.WriteString("next_crossing", next != 0 && Crossing.Next(known, budget.ProjectId, month, c.Now, budget.Amount * next / 100) is { } at ? View.Time(at) : null);
            });
        }),
    ];
}
