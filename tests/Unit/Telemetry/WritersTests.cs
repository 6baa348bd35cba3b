using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Telemetry;

/// <summary>Other programs' formats, and what isn't in them.</summary>
public sealed class WritersTests
{
    private static Task<Answer> Write(TestCloud cloud, string path, byte[] body) => Send(cloud, path, body);

    private static async Task<Answer> Send(TestCloud cloud, string path, byte[] body)
    {
        using var stream = new MemoryStream(body);
        return await cloud.Stream("POST", "/metric/v1/" + path, await cloud.Token(), stream);
    }

    [Theory]
    [InlineData("cpu,host=a value=1.5 1000000000", 204, "cpu.value", 1.5)]
    [InlineData("cpu,host=a,b=c value=43i 1000000000", 204, "cpu.value@b=c", 43)]
    [InlineData("a\\ b,host=a v=1,s=\"x y, z\",t=true 1000000000", 204, "a b.v", 1)]
    [InlineData("cpu,host=a path=2 1000000000\n\ncpu,host=a path=3 2000000000\r\n", 204, "cpu.path", 2)]
    [InlineData("cpu value=1", 400, null, 0)]
    [InlineData("cpu,host=a", 400, null, 0)]
    [InlineData("cpu,host=a value=", 400, null, 0)]
    [InlineData("cpu,host=a value=x", 400, null, 0)]
    [InlineData("cpu,host=a value=1 soon", 400, null, 0)]
    public async Task Lines_of_InfluxDB(string lines, int status, string? metric, double first)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(204, (await Write(cloud, "influxdb/query?q=CREATE%20DATABASE%20influxdb", [])).Status);
        await cloud.Send("POST", "/metric/v1/archive_policy_rule", new { name = "all", metric_pattern = "**", archive_policy_name = "medium" });
        Assert.Equal(status, (await Write(cloud, "influxdb/write", Encoding.UTF8.GetBytes(lines))).Status);
        if (metric is not null) Assert.Equal(first, (await cloud.Send("GET", $"/metric/v1/resource/influxdb/a/metric/{Uri.EscapeDataString(metric)}/measures?granularity=60&aggregation=min")).Body[0][2].GetDouble());
        Assert.Empty(cloud.Errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("05")] // promises five bytes and has none
    [InlineData("0500")] // a literal that is cut
    [InlineData("050100")] // a copy from before the beginning
    [InlineData("ffffffff7f00")] // two gigabytes and more
    [InlineData("02040a0a")] // a field that is cut
    [InlineData("0104ff")]
    public async Task What_is_no_packed_protocol_buffer_is_refused(string hex)
    {
        await using var cloud = await TestCloud.Start();
        Assert.Equal(400, (await Write(cloud, "prometheus/write", Convert.FromHexString(hex))).Status);
        Assert.Empty(cloud.Errors);
    }
}
