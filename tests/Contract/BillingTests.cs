using System.Text.Json;
using Cloud.Billing;
using Cloud.Metering;
using Cloud.Platform.Events;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Prices, bills and budgets through the API, after real requests against the control plane in memory.</summary>
public sealed class BillingTests
{
    private const string Prices = """{"valid_from":"2030-01-01T00:00:00Z","currency":"EUR","prices":[{"meter":"volume.gib","unit":"GiB-hour","price":"0.36"},{"meter":"floatingip","unit":"hour","price":0.9},{"meter":"floatingip-idle","unit":"hour","price":1.8},{"meter":"floatingip-traffic.*","unit":"GB","tiers":[{"to":1,"price":0},{"price":2}]}]}""";

    private static async Task<JsonElement> Get(TestCloud cloud, string path, string user = "demo")
    {
        var answer = await cloud.Send("GET", path, user: user);
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Body;
    }

    private static async Task<TestCloud> Priced()
    {
        var cloud = await TestCloud.Start();
        var answer = await cloud.Send("POST", "/billing/v1/prices", Prices);
        Assert.True(answer.Status == 201, answer.Text);
        return cloud;
    }

    private static async Task<string> Volume(TestCloud cloud, string user = "demo", int size = 2)
    {
        var volumes = $"/volume/v3/{await cloud.IdOf("projects", user)}/volumes";
        var id = (await cloud.Send("POST", volumes, new { volume = new { size } }, user)).Id("volume");
        await cloud.Drain();
        return id;
    }

    private static string Text(JsonElement e, string name) => e.GetProperty(name).GetString()!;

    [Fact]
    public async Task A_draft_shows_what_is_used_so_far_and_each_item_leads_to_its_intervals_and_their_events()
    {
        await using var cloud = await Priced();
        var id = await Volume(cloud);
        await cloud.Pass(TimeSpan.FromSeconds(100));
        await cloud.Send("POST", $"/volume/v3/{await cloud.IdOf("projects", "demo")}/volumes/{id}/action", "{\"os-extend\": {\"new_size\": 5}}", "demo");
        await cloud.Drain();
        await cloud.Pass(TimeSpan.FromSeconds(20));
        var draft = await Get(cloud, "/billing/v1/invoices/2030-01");
        // 300 GiB-seconds at 0.0001 each.
        Assert.Equal(("draft", "0.03", "0.03", "EUR"), (Text(draft, "status"), Text(draft, "sum"), Text(draft, "total"), Text(draft, "currency")));
        var line = Assert.Single(draft.GetProperty("lines").EnumerateArray());
        Assert.Equal(("volume.gib", "0.083333", "300", "GiB-seconds"), (Text(line, "price"), Text(line, "units"), Text(line, "used"), Text(line, "used_in")));
        var items = await Get(cloud, Text(draft.GetProperty("links"), "items")["http://cloud".Length..]);
        var item = await Get(cloud, Text(Assert.Single(items.GetProperty("items").EnumerateArray()).GetProperty("links"), "self")["http://cloud".Length..]);
        Assert.Equal((id, "volume", "0.03"), (Text(item, "resource"), Text(item, "kind"), Text(item, "amount")));
        Assert.Equal([("100", 2), ("20", 5)], item.GetProperty("intervals").EnumerateArray().Select(i => (Text(i, "seconds_in_item"), i.GetProperty("quantity").GetInt32())));
        Assert.Equal(2, (await Get(cloud, Text(item.GetProperty("links"), "intervals")["http://cloud".Length..])).GetProperty("intervals").GetArrayLength());
        Assert.Single((await Get(cloud, Text(item.GetProperty("links"), "prices")["http://cloud".Length..])).GetProperty("versions").EnumerateArray());
        var opened = await Get(cloud, Text(item.GetProperty("intervals")[1], "opened_by")["http://cloud".Length..]);
        Assert.Equal((id, 5, 2), (Text(opened, "subject"), opened.GetProperty("data").GetProperty("after").GetProperty("Size").GetInt32(), opened.GetProperty("data").GetProperty("before").GetProperty("Size").GetInt32()));
        Assert.Equal(Text(item.GetProperty("intervals")[0], "closed_by"), Text(item.GetProperty("intervals")[1], "opened_by"));
        // Neither item nor event is there for somebody else.
        await cloud.AddUser("eve");
        Assert.Equal(404, (await cloud.Send("GET", $"/billing/v1/items/{Text(item, "id")}", user: "eve")).Status);
        Assert.Equal(404, (await cloud.Send("GET", $"/events/v1/events/{Text(opened, "id")}", user: "eve")).Status);
        Assert.Equal(403, (await cloud.Send("GET", $"/billing/v1/invoices/2030-01?project_id={await cloud.IdOf("projects", "demo")}", user: "eve")).Status);
        Assert.Equal("0.03", Text(await Get(cloud, $"/billing/v1/invoices/2030-01?project_id={await cloud.IdOf("projects", "demo")}", "admin"), "sum"));
    }

    [Fact]
    public async Task A_floating_ip_costs_by_time_more_while_idle_and_by_traffic_however_often_it_moves()
    {
        await using var cloud = await Priced();
        var stage = new Stage(cloud, []);
        await stage.Net();
        await stage.Outside();
        foreach (var port in new[] { "one", "two" }) await stage.Port(port);
        await cloud.Pass(TimeSpan.FromSeconds(40));
        foreach (var port in new[] { "one", "two", "one" })
        {
            Stage.Good(await stage.Send("PUT", $"/network/v2.0/floatingips/{stage["fip"]}", new { floatingip = new { port_id = stage[port] } }));
            await cloud.Pass(TimeSpan.FromSeconds(20));
        }
        var project = await cloud.IdOf("projects", "admin");
        Counted Of(string id, long bytes) => new(id, project, "floatingip|" + stage["fip"], "floatingip-traffic.out", bytes, cloud.Clock.GetUtcNow().AddSeconds(-1));
        foreach (var counted in new[] { Of("a", 800_000_000), Of("a", 800_000_000), Of("b", 700_000_000), Of("a", 5) }) await Metering.Facade.Count(cloud.Services, counted);
        await cloud.Drain();
        var items = (await Get(cloud, $"/billing/v1/invoices/2030-01/items?resource={stage["fip"]}", "admin")).GetProperty("items").EnumerateArray().ToDictionary(i => Text(i, "meter"), i => (Text(i, "used"), Text(i, "amount")));
        Assert.Equal(("100", "0.025"), items["floatingip"]);
        Assert.Equal(("40", "0.02"), items["floatingip-idle"]);
        Assert.Equal(("60", "0"), items["floatingip-bound"]);
        Assert.Equal(("1500000000", "1"), items["floatingip-traffic.out"]);
        var traffic = (await Get(cloud, $"/billing/v1/invoices/2030-01/items?resource={stage["fip"]}&meter=floatingip-traffic.*", "admin")).GetProperty("items")[0];
        var amounts = (await Get(cloud, "/billing/v1/items/" + Text(traffic, "id"), "admin")).GetProperty("amounts").EnumerateArray().ToList();
        Assert.Equal(2, amounts.Count);
        Assert.Equal(800_000_000, (await Get(cloud, Text(amounts[0], "counted_by")["http://cloud".Length..], "admin")).GetProperty("data").GetProperty("quantity").GetInt64());
        foreach (var bad in new[] { Of("c", 0), Of("c", -1), Of("c", 1) with { Meter = "router" }, Of("c", 1) with { At = cloud.Clock.GetUtcNow().AddDays(1) }, Of("c", 1) with { At = cloud.Clock.GetUtcNow().AddDays(-61) }, Of("c", 1) with { Resource = "x" } })
            await Assert.ThrowsAsync<ArgumentException>(() => Metering.Facade.Count(cloud.Services, bad));
    }

    [Fact]
    public async Task A_month_is_closed_once_it_is_over_and_what_comes_later_is_corrected_on_the_next()
    {
        await using var cloud = await Priced();
        await Volume(cloud);
        var project = await cloud.IdOf("projects", "demo");
        cloud.Clock.SetUtcNow(new(2030, 2, 1, 23, 0, 0, TimeSpan.Zero));
        await Closing.Run(cloud.Services, default);
        Assert.Null(await Invoices.Closed(cloud.Store, project, new(2030, 1)));
        cloud.Clock.SetUtcNow(new(2030, 2, 2, 0, 0, 0, TimeSpan.Zero));
        for (var i = 0; i < 3; i++) await Closing.Run(cloud.Services, default);
        await cloud.Drain();
        cloud.Forget();
        var closed = await Get(cloud, "/billing/v1/invoices/2030-01");
        Assert.Equal(("closed", "INV-000001", "535.68"), (Text(closed, "status"), Text(closed, "number"), Text(closed, "total")));
        Assert.Single(cloud.Events, e => e.Type == "cloud.serverless.rating.invoice.closed");
        var (html, csv) = (await cloud.Send("GET", "/billing/v1/invoices/2030-01/html", user: "demo"), await cloud.Send("GET", "/billing/v1/invoices/2030-01/csv", user: "demo"));
        Assert.Contains("INV-000001", html.Text, StringComparison.Ordinal);
        Assert.Equal(2, csv.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        // Traffic that was counted on the last day is heard of only now.
        await Metering.Facade.Count(cloud.Services, new("late", project, "floatingip|gone", "floatingip-traffic.in", 3_000_000_000, new(2030, 1, 31, 12, 0, 0, TimeSpan.Zero)));
        Assert.Equal(closed.GetRawText(), (await Get(cloud, "/billing/v1/invoices/2030-01")).GetRawText());
        var draft = await Get(cloud, "/billing/v1/invoices/2030-02");
        var correction = draft.GetProperty("lines").EnumerateArray().Single(l => l.GetProperty("corrects").ValueKind == JsonValueKind.String);
        Assert.Equal(("2030-01", "floatingip-traffic.*", "4"), (Text(correction, "corrects"), Text(correction, "price"), Text(correction, "amount")));
        cloud.Clock.SetUtcNow(new(2030, 3, 2, 0, 0, 0, TimeSpan.Zero));
        await Closing.Run(cloud.Services, default);
        cloud.Clock.SetUtcNow(new(2030, 4, 2, 0, 0, 0, TimeSpan.Zero));
        await Closing.Run(cloud.Services, default);
        cloud.Forget();
        var all = (await Get(cloud, "/billing/v1/invoices")).GetProperty("invoices").EnumerateArray().ToList();
        Assert.Equal([("INV-000001", "535.68"), ("INV-000002", "487.84"), ("INV-000003", "535.68")], all.Select(i => (Text(i, "number"), Text(i, "total"))));
        Assert.Equal((closed.GetRawText(), html.Text, csv.Text), (all[0].GetRawText(), (await cloud.Send("GET", "/billing/v1/invoices/2030-01/html", user: "demo")).Text, (await cloud.Send("GET", "/billing/v1/invoices/2030-01/csv", user: "demo")).Text));
        var item = (await Get(cloud, "/billing/v1/invoices/2030-02/items")).GetProperty("items").EnumerateArray().Single(i => i.GetProperty("corrects").ValueKind == JsonValueKind.String);
        var explained = await Get(cloud, "/billing/v1/items/" + Text(item, "id"));
        Assert.Equal("late", Text(explained.GetProperty("amounts")[0], "id"));
        Assert.Equal(404, (await cloud.Send("GET", "/billing/v1/invoices/2030-05", user: "demo")).Status);
        Assert.Equal(400, (await cloud.Send("GET", "/billing/v1/invoices/May", user: "demo")).Status);
    }

    [Fact]
    public async Task A_budget_tells_of_each_threshold_once_at_its_very_instant_and_an_idle_project_is_never_looked_at()
    {
        await using var cloud = await Priced();
        // 2 GiB cost 0.72 an hour: 1.44 is spent after two.
        var answer = await cloud.Send("POST", "/billing/v1/budgets", new { budget = new { name = "b", amount = 1.44, thresholds = new[] { 50, 100 } } }, "demo");
        Assert.True(answer.Status == 201, answer.Text);
        await Run(cloud, TimeSpan.FromMinutes(1));
        Assert.Empty(await Waiting(cloud));
        var begun = cloud.Clock.GetUtcNow();
        await Volume(cloud);
        await Run(cloud, TimeSpan.FromMinutes(1));
        Assert.Equal(begun.AddHours(1), Assert.Single(await Waiting(cloud)));
        Assert.Empty(Crossed(cloud));
        cloud.Clock.SetUtcNow(begun.AddHours(1).AddMilliseconds(-1));
        await cloud.Drain();
        Assert.Empty(Crossed(cloud));
        cloud.Clock.SetUtcNow(begun.AddHours(1));
        await cloud.Drain();
        Assert.Equal(["0.72 of 1.44: 50"], Crossed(cloud));
        Assert.Equal(begun.AddHours(2), Assert.Single(await Waiting(cloud)));
        cloud.Clock.SetUtcNow(begun.AddHours(3));
        await cloud.Drain();
        Assert.Equal(["0.72 of 1.44: 50", "2.16 of 1.44: 100"], Crossed(cloud));
        // With the next month it begins anew; nothing is looked at until then.
        Assert.Equal(new(2030, 2, 1, 0, 0, 0, TimeSpan.Zero), Assert.Single(await Waiting(cloud)));
        cloud.Clock.SetUtcNow(new(2030, 2, 1, 2, 0, 0, TimeSpan.Zero));
        await cloud.Drain();
        Assert.Equal(4, Crossed(cloud).Count);
        cloud.Forget();
        var status = await Get(cloud, $"/billing/v1/budgets/{answer.Id("budget")}/status");
        Assert.Equal(("2030-02", "1.44", "100", "483.84"), (Text(status, "month"), Text(status, "spent"), Text(status, "percent"), Text(status, "spent_at_months_end_if_nothing_changes")));
        Assert.Equal(204, (await cloud.Send("DELETE", $"/billing/v1/budgets/{answer.Id("budget")}", user: "demo")).Status);
        cloud.Clock.SetUtcNow(new(2030, 3, 1, 0, 0, 0, TimeSpan.Zero));
        await cloud.Drain();
        Assert.Empty(await Waiting(cloud));
        Assert.Empty(cloud.Errors);
        Assert.DoesNotContain(cloud.Store.All, r => r.Key.StartsWith("budget", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_change_of_prices_or_of_the_amount_is_followed_at_once()
    {
        await using var cloud = await Priced();
        var id = (await cloud.Send("POST", "/billing/v1/budgets", new { budget = new { name = "b", amount = 1.44, thresholds = new[] { 100 } } }, "demo")).Id("budget");
        var begun = cloud.Clock.GetUtcNow();
        await Volume(cloud);
        await Run(cloud, TimeSpan.FromMinutes(1));
        Assert.Equal(begun.AddHours(2), (await Waiting(cloud)).Min());
        // Ten times dearer after an hour: what is left takes six minutes.
        var dearer = JsonSerializer.Deserialize<JsonElement>(Prices.Replace("2030-01-01T00:00:00Z", "2030-01-01T01:00:00Z", StringComparison.Ordinal).Replace("0.36", "3.6", StringComparison.Ordinal));
        Assert.Equal(201, (await cloud.Send("POST", "/billing/v1/prices", dearer)).Status);
        await Run(cloud, TimeSpan.FromMinutes(1));
        Assert.Equal(begun.AddHours(1), (await Waiting(cloud)).Min().AddMinutes(-6), TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await cloud.Send("PUT", $"/billing/v1/budgets/{id}", new { budget = new { amount = 0.00001 } }, "demo")).Status);
        await Run(cloud, TimeSpan.FromMinutes(1));
        Assert.EndsWith("of 0.00001: 100", Assert.Single(Crossed(cloud)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"budget":{"amount":0}}""")]
    [InlineData("""{"budget":{"amount":-1}}""")]
    [InlineData("""{"budget":{"amount":"NaN"}}""")]
    [InlineData("""{"budget":{"amount":1,"thresholds":[]}}""")]
    [InlineData("""{"budget":{"amount":1,"thresholds":[0]}}""")]
    [InlineData("""{"budget":{"amount":1,"thresholds":[50,50]}}""")]
    [InlineData("""{"budget":{"name":"no amount"}}""")]
    public async Task A_budget_that_means_nothing_is_refused(string body)
    {
        await using var cloud = await Priced();
        Assert.Equal(400, (await cloud.Send("POST", "/billing/v1/budgets", body, "demo")).Status);
    }

    [Fact]
    public async Task Prices_are_everybodys_to_see_and_the_operators_to_set_and_discounts_are_ones_own()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        var body = Prices[..^1] + $$""","discounts":[{"project_id":"{{await cloud.IdOf("projects", "demo")}}","percent":25}]}""";
        Assert.Equal(403, (await cloud.Send("POST", "/billing/v1/prices", body, "demo")).Status);
        Assert.Equal(201, (await cloud.Send("POST", "/billing/v1/prices", body)).Status);
        async Task<int> Discounts(string user) => (await Get(cloud, "/billing/v1/prices", user)).GetProperty("versions")[0].GetProperty("discounts").GetArrayLength();
        Assert.Equal((1, 1, 0), (await Discounts("demo"), await Discounts("admin"), await Discounts("eve")));
        await Volume(cloud);
        await cloud.Pass(TimeSpan.FromSeconds(100));
        Assert.Equal("0.015", Text(await Get(cloud, "/billing/v1/invoices/2030-01"), "sum"));
        Assert.Equal(409, (await cloud.Send("DELETE", "/billing/v1/prices/2030-01-01T00:00:00Z")).Status);
        Assert.Equal(404, (await cloud.Send("DELETE", "/billing/v1/prices/2031-01-01T00:00:00Z")).Status);
    }

    private static async Task Run(TestCloud cloud, TimeSpan time)
    {
        await cloud.Drain();
        cloud.Clock.Advance(time);
        await cloud.Drain();
    }

    /// <summary>When looks at budgets are due.</summary>
    private static Task<List<DateTimeOffset>> Waiting(TestCloud cloud) => Task.FromResult(cloud.Bus.All.Where(m => m.Queue == BudgetWatch.Queue && m.NotBefore > cloud.Clock.GetUtcNow()).Select(m => m.NotBefore!.Value).ToList());

    private static List<string> Crossed(TestCloud cloud) => [.. cloud.Store.All.Where(r => r.Partition == "events" && r.Key.StartsWith("entry|", StringComparison.Ordinal)).Select(r => Platform.State.Json.Read<Events.LogEntry>(r.Body)).Where(e => e.Event is not null && e.Project.Length > 0)
        .Select(e => Event.Of(e.Event!.Value)).Where(e => e.Type == "cloud.serverless.rating.budget.crossed").Select(e => $"{Text(e.Data, "spent")} of {Text(e.Data, "amount")}: {e.Data.GetProperty("percent")}")];
}
