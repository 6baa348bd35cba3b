using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>Debian's unmodified python3-gnocchiclient and python3-aodhclient, as openstack metric and openstack alarm.</summary>
public sealed class GnocchiClientTests : IAsyncLifetime
{
    private CloudStand? _cloud;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openstack") && Directory.Exists("/usr/lib/python3/dist-packages/gnocchiclient"), "needs Debian's python3-openstackclient and python3-gnocchiclient");
        _cloud = await CloudStand.Start("simulated:1");
    }

    public async ValueTask DisposeAsync()
    {
        if (_cloud is not null) await _cloud.DisposeAsync();
    }

    [Fact]
    public async Task A_volume_is_a_resource_and_a_metric_takes_samples()
    {
        var volume = (await Run("volume create --size 1 vol")).GetProperty("id").GetString();
        // Its event is on the way.
        while (!(await Run("metric resource list --type volume")).EnumerateArray().Any(r => r.GetProperty("id").GetString() == volume)) { }
        Assert.Equal("vol", (await Run($"metric resource show --type volume {volume}")).GetProperty("display_name").GetString());
        var metric = (await Run("metric create --archive-policy-name high --unit B m1")).GetProperty("id").GetString();
        await Run($"metric measures add -m 2030-01-01T00:00:00@4.5 -m 2030-01-01T00:00:10@5 {metric}", shows: false);
        Assert.Equal([4.75, 4.75, 4.5, 5], (await Run($"metric measures show {metric}")).EnumerateArray().Select(m => m.GetProperty("value").GetDouble()));
        Assert.Equal([5.0], (await Run($"metric measures show --aggregation max --granularity 60 {metric}")).EnumerateArray().Select(m => m.GetProperty("value").GetDouble()));
        Assert.Equal(0, (await Run("metric status")).GetProperty("storage/total number of measures to process").GetInt32());
        Assert.Contains((await Run("metric archive-policy list")).EnumerateArray(), p => p.GetProperty("name").GetString() == "ceilometer-low");
    }

    [Fact]
    public async Task An_alarm_is_defined_and_goes_off_with_a_sample()
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/aodhclient"), "needs Debian's python3-aodhclient");
        var metric = (await Run("metric create --archive-policy-name high m1")).GetProperty("id").GetString();
        var alarm = (await Run($"alarm create --name a1 --type gnocchi_aggregation_by_metrics_threshold --metric {metric} --threshold 10 --comparison-operator gt --aggregation-method mean --granularity 3600")).GetProperty("alarm_id").GetString();
        await Run($"metric measures add -m {DateTimeOffset.UtcNow.ToUnixTimeSeconds()}@15 {metric}", shows: false);
        // It is looked at a moment later.
        while ((await Run($"alarm show {alarm}")).GetProperty("state").GetString() != "alarm") { }
        Assert.Equal(20, (await Run($"alarm update {alarm} --threshold 20")).GetProperty("threshold").GetDouble());
        Assert.Contains((await Run($"alarm-history show {alarm}")).EnumerateArray(), h => h.GetProperty("type").GetString() == "rule change");
        Assert.Equal("ok", (await Run($"alarm state set --state ok {alarm}")).GetProperty("state").GetString());
        await Run($"alarm delete {alarm}", shows: false);
        Assert.Equal(0, (await Run("alarm list")).GetArrayLength());
    }

    private async Task<JsonElement> Run(string command, bool shows = true)
    {
        var (exit, text, error) = await _cloud!.Run("/usr/bin/openstack", (command + (shows ? " -f json" : "")).Split(' '));
        Assert.True(exit == 0, $"openstack {command}: {error}");
        return shows ? JsonDocument.Parse(text).RootElement.Clone() : default;
    }
}
