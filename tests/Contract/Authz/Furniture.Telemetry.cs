using System.Text.Json;
using Cloud.Platform.Access;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Contract.Authz;

/// <summary>What paths of bills, metrics and alarms name.</summary>
public static partial class Furniture
{
    private static async Task<Belongings> Billing(Scene scene, string project)
    {
        const string root = "/billing/v1", prices = ""","currency":"EUR","prices":[{"meter":"volume.gib","unit":"GiB-hour","price":1},{"meter":"floatingip","unit":"hour","price":1}]}""";
        foreach (var from in (string[])["2030-01-01T00:00:00Z", "2035-01-01T00:00:00Z"]) await scene.Do("admin", "POST", root + "/prices", $$"""{"valid_from":"{{from}}"{{prices}}""");
        await scene.Make("ann", "budget", "budget", root + "/budgets", """{"budget":{"name":"b","amount":5}}""");
        await scene.Cloud.Pass(TimeSpan.FromSeconds(30));
        var month = scene.Cloud.Services.Now.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);
        var item = (await scene.Do("ann", "GET", $"{root}/invoices/{month}/items")).Body.GetProperty("items")[0].GetProperty("id").GetString()!;
        return new(new() { ["budgets"] = scene["ann.budget"], ["invoices"] = month, ["items"] = item, ["prices"] = "2035-01-01T00:00:00Z", ["quotas"] = project }, new() { ["budgets"] = new(project), ["items"] = new(project) },
            new() { ["POST budgets"] = """{"budget":{"name":"b","amount":5}}""", ["PUT quotas"] = """{"quotas":{"budgets":30}}""", ["POST prices"] = $$"""{"valid_from":"2036-01-01T00:00:00Z"{{prices}}""" });
    }

    private static async Task<Belongings> Rating(Scene scene)
    {
        async Task<string> First(string many, string id) => (await scene.Do("admin", "GET", "/rating/v1/rating/module_config/hashmap/" + many)).Body.GetProperty(many)[0].GetProperty(id).GetString()!;
        var mapping = await First("mappings", "mapping_id");
        return new(new() { ["services"] = await First("services", "service_id"), ["fields"] = await First("fields", "field_id"), ["mappings"] = mapping, ["modules"] = "hashmap" }, [], new() { ["PUT mappings"] = $$"""{"mapping_id":"{{mapping}}","cost":2}""" })
        {
            // A service's, in the place where other paths have a mapping's.
            Gone = ["/collector/mappings/{service}"],
            Never = ["groups", "thresholds", "scripts"],
        };
    }

    private static async Task<Belongings> Metric(Scene scene, string project)
    {
        const string root = "/metric/v1";
        await scene.Do("admin", "POST", root + "/archive_policy", """{"name":"a-policy","definition":[{"granularity":"60s","points":10}]}""");
        await scene.Do("admin", "POST", root + "/archive_policy_rule", """{"name":"a-rule","metric_pattern":"nothing.*","archive_policy_name":"low"}""");
        await scene.Do("admin", "POST", root + "/resource_type", """{"name":"a-type"}""");
        await scene.Make("ann", "metric", "", root + "/metric", """{"archive_policy_name":"low"}""");
        // Its name within its resource is its id: paths have either in the same place.
        await scene.Make("ann", "thing", "", root + "/resource/generic", $$"""{"id":"{{Guid.Empty.ToString("D").Replace('0', 'a')}}","metrics":{"{{scene["ann.metric"]}}":"{{scene["ann.metric"]}}"} }""");
        return new(
            new() { ["metric"] = scene["ann.metric"], ["resource"] = "generic", ["id"] = scene["ann.thing"], ["archive_policy"] = "a-policy", ["archive_policy_rule"] = "a-rule", ["resource_type"] = "a-type" },
            new() { ["id"] = new(project), ["metric"] = new(project) },
            new() { ["POST measures"] = """[{"timestamp":1900000000,"value":1}]""", ["PATCH resource"] = """{"metrics":{}}""" })
        { Open = ["resource"] };
    }

    private static async Task<Belongings> Alarming(Scene scene, string project)
    {
        var alarm = JsonSerializer.Serialize(new { name = "a", type = "gnocchi_aggregation_by_metrics_threshold", gnocchi_aggregation_by_metrics_threshold_rule = new { metrics = new[] { scene["ann.metric"] }, aggregation_method = "mean", threshold = 1, comparison_operator = "gt", granularity = 300, evaluation_periods = 1 } });
        var made = (await scene.Do("ann", "POST", "/alarming/v2/alarms", alarm)).Body.GetProperty("alarm_id").GetString()!;
        return new(new() { ["alarms"] = made, ["quotas"] = project }, new() { ["alarms"] = new Target(project) }, new()
        {
            ["POST alarms"] = alarm, ["PUT alarms"] = alarm, ["PUT state"] = "\"ok\"", ["POST quotas"] = $$"""{"project_id":"{{project}}","quotas":[{"resource":"alarms","limit":5}]}""",
        });
    }
}
