using System.Net.Http.Json;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>Debian's unmodified openstack command with cloudkitty's plugin, both versions of the API.</summary>
public sealed class RatingClientTests : IAsyncLifetime
{
    private CloudStand? _cloud;
    private string _version = "1";

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/cloudkittyclient") && File.Exists("/usr/bin/openstack"), "needs Debian's python3-openstackclient and python3-cloudkittyclient");
        _cloud = await CloudStand.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (_cloud is not null) await _cloud.DisposeAsync();
    }

    [Fact]
    public async Task Prices_are_set_and_bills_are_read_by_the_rating_plugin()
    {
        await Book();
        // The price book, as hashmap.
        var services = (await Rating("hashmap service list")).EnumerateArray().ToDictionary(s => Text(s, "Name"), s => Text(s, "Service ID"));
        Assert.Equal(services["server"], Text((await Rating("hashmap service create server"))[0], "Service ID"));
        var field = (await Rating($"hashmap field list {services["server"]}"))[0];
        Assert.Equal("flavor", Text(field, "Name"));
        var mapping = (await Rating($"hashmap mapping create --field-id {Text(field, "Field ID")} --value m1.tiny 0.25"))[0];
        Assert.Equal(("m1.tiny", "0.25"), (Text(mapping, "Value"), Text(mapping, "Cost")));
        Assert.Equal("0.5", Text((await Rating($"hashmap mapping update --cost 0.5 {Text(mapping, "Mapping ID")}"))[0], "Cost"));
        Assert.Equal(Text(mapping, "Mapping ID"), Text(Assert.Single((await Rating($"hashmap mapping list --field-id {Text(field, "Field ID")}")).EnumerateArray()), "Mapping ID"));
        Assert.Contains("there already", await Fails($"hashmap mapping create --field-id {Text(field, "Field ID")} --value m1.tiny 0.25"), StringComparison.Ordinal);
        await Rating($"hashmap mapping delete {Text(mapping, "Mapping ID")}", shows: false);
        Assert.Contains("A gap", await Fails($"hashmap mapping delete {Text((await Rating($"hashmap mapping list -s {services["router"]}"))[0], "Mapping ID")}"), StringComparison.Ordinal);
        Assert.Empty((await Rating("hashmap group list")).EnumerateArray());
        Assert.Contains("tiers of the price book", await Fails($"hashmap threshold create -s {services["router"]} 10 0.1"), StringComparison.Ordinal);
        Assert.Contains("not run", await Fails($"pyscript create p {Script()}"), StringComparison.Ordinal);
        Assert.Contains((await Rating("module list")).EnumerateArray(), m => Text(m, "Module") == "hashmap" && m.GetProperty("Enabled").GetBoolean());
        await Rating("module enable hashmap");
        Assert.Contains("409", await Fails("module disable hashmap"), StringComparison.Ordinal);
        Assert.Contains((await Rating("info metric list")).EnumerateArray(), m => Text(m, "Metric") == "volume.gib");
        Assert.Contains((await Rating("collector-mapping list")).EnumerateArray(), m => Text(m, "Collector") == "ledger");

        // Something to pay for.
        Assert.Equal(0, (await _cloud!.Run("/usr/bin/openstack", "router create r".Split(' '))).Exit);
        JsonElement summary = default;
        for (var i = 0; i < 20 && (summary.ValueKind == JsonValueKind.Undefined || Text(summary[0], "Rate") == "0"); i++) summary = await Rating("summary get");
        Assert.True(decimal.Parse(Text(summary[0], "Rate"), System.Globalization.CultureInfo.InvariantCulture) > 0);
        Assert.Equal("router", Text((await Rating("summary get -g res_type tenant_id"))[0], "Resource Type"));
        Assert.True((await Rating("total get")).GetProperty("Total").GetDouble() > 0);
        Assert.Single((await Rating("report tenant list")).EnumerateArray());
        Assert.Equal("router", (await Rating("dataframes get"))[0].GetProperty("Resources")[0].GetProperty("service").GetString());

        _version = "2";
        Assert.Equal("router", Text((await Rating("summary get -g type -g project_id"))[0], "Type"));
        Assert.Equal(("router", "hour"), ((await Rating("dataframes get --filter type:router"))[0] is var frame ? Text(frame, "Metric Type") : "", Text(frame, "Unit")));
        Assert.Contains("No resource found", await Fails("dataframes get --filter type:nothing"), StringComparison.Ordinal);
        var scope = (await Rating("scope state get"))[0];
        Assert.Equal(("project_id", "ledger"), (Text(scope, "Scope Key"), Text(scope, "Collector")));
        await Fails("scope state reset -a 2030-01-01T00:00:00Z");
        Assert.Equal("hashmap", Text((await Rating("module get hashmap"))[0], "Module"));
    }

    private string Script()
    {
        var file = Path.Combine(_cloud!.Data, "script.py");
        File.WriteAllText(file, "pass");
        return file;
    }

    /// <summary>Its first version says the currency; no client of OpenStack's can.</summary>
    private async Task Book()
    {
        using var http = new HttpClient { BaseAddress = _cloud!.Address };
        var token = await _cloud.Do("/usr/bin/openstack", "token issue -f value -c id");
        http.DefaultRequestHeaders.Add("X-Auth-Token", token.Trim());
        using var made = await http.PostAsJsonAsync("/billing/v1/prices", new { currency = "EUR", prices = new object[] { new { meter = "router", unit = "hour", price = 360 }, new { meter = "server.*", unit = "hour", price = 0.01 } } });
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
    }

    private async Task<JsonElement> Rating(string command, bool shows = true)
    {
        var (exit, text, error) = await Start(command + (shows ? " -f json" : ""));
        Assert.True(exit == 0, $"openstack rating {command}: {error}");
        return shows ? JsonDocument.Parse(text).RootElement.Clone() : default;
    }

    private async Task<string> Fails(string command)
    {
        var (exit, _, error) = await Start(command);
        Assert.NotEqual(0, exit);
        return error;
    }

    private Task<Ended> Start(string command) => _cloud!.Run("/usr/bin/openstack", $"--rating-api-version {_version} rating {command}".Split(' '));

    private static string Text(JsonElement e, string name) => e.GetProperty(name).ToString();
}
