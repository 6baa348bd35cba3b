using System.Diagnostics;
using System.Net;
using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>The function app with nothing of its own, for other people's programs: each request, message and tick is another process's, which has done nothing before and is killed after its answer.</summary>
public sealed class FunctionsCloudTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cs-stand-").FullName;

    /// <summary>All of tempest's smoke tests take an hour that way (docs/conformance.md): <c>./cloud conformance smoke --on functions</c>. These are two that want little made before them.</summary>
    [Fact]
    public async Task Tempest_finds_the_same_cloud_when_every_execution_is_a_new_process()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/tempest") && Directory.Exists("/usr/lib/python3/dist-packages/openstack"), "needs tempest and python3-openstacksdk (Debian)");
        await using var cloud = await FunctionsCloud.Prepare(new(AppContext.BaseDirectory, Path.Combine(_root, "cloud"), new(IPAddress.Loopback, FreePorts.One())));
        Assert.SkipWhen(cloud is null, FunctionsCloud.Missing);
        await cloud!.Start();

        var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "infra/cli/conformance.sh"), "list", Path.Combine(Repository.Root, "tests/Conformance/functions.txt")]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root };
        foreach (var (name, value) in cloud.Login) start.Environment[name] = value;
        (start.Environment["WORK"], start.Environment["PREPARE"]) = (Path.Combine(_root, "work"), "no");
        using var tempest = Process.Start(start)!;
        var (said, errors) = (tempest.StandardOutput.ReadToEndAsync(), tempest.StandardError.ReadToEndAsync());
        await tempest.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(10));
        var wanted = (await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "tests/Conformance/functions.txt"))).Length;
        Assert.Equal($"{wanted} passed, 0 failed, 0 skipped", (await said).Trim() + await errors);

        await cloud.Stop();
        Assert.Equal(0, cloud.Crashes);
        Assert.True(cloud.Processes >= cloud.Executions, $"{cloud.Executions} executions by {cloud.Processes} processes");
        TestContext.Current.TestOutputHelper?.WriteLine($"{cloud.Executions} executions by as many processes");
    }

    [Fact]
    public void A_timer_comes_as_often_as_its_trigger_says()
    {
        foreach (var timer in Triggers.All(Slices.All).OfType<TimerTrigger>())
        {
            var (schedule, day) = (FunctionJson.Cron(timer.Every), DateTimeOffset.UnixEpoch);
            Assert.Equal(86400 / timer.Every.TotalSeconds, Enumerable.Range(0, 86400).Count(s => Schedule.Has(schedule, day.AddSeconds(s))));
        }
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
