using Cloud.Platform;
using Cloud.Platform.Access;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;

namespace Cloud.Billing;

/// <summary>Prices, invoices, budgets: see docs/billing.md.</summary>
public static class Api
{
    public static readonly Slice Slice = new("billing", "billing", OwnService.Dialect("billing"),
    [
        new("GET", "/", Policy.Anyone, OwnService.Versions), new("GET", "/v1", Policy.Anyone, OwnService.Versions),
        .. PriceRoutes.All, .. InvoiceRoutes.All, .. Budgets.Routes, .. OwnQuotas.Of(Budgets.Limits, "billing:get", "billing:quotas"),
    ])
    {
        CatalogName = "billing", CatalogPath = "/v1", OnEvent = BudgetWatch.OnEvent, Leftovers = [Budgets.Rows.Pointers],
        Jobs = [new("close", TimeSpan.FromHours(1), Closing.Run)],
        Queues = [new QueueTrigger("queue-budgets", BudgetWatch.Queue, 2, Sessions: false, BudgetWatch.Handle)],
    };

    /// <summary>Whose bills are asked for: one's own project's, or with the right to, another's.</summary>
    public static string ProjectOf(Call c)
    {
        if (c.First("project_id") is not { } one || one == c.User?.ProjectId) return c.ProjectId;
        c.Require("billing:get_all", default);
        return one;
    }
}
