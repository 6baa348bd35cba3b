using System.Text.Json;
using System.Text.RegularExpressions;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>What is made from the code and committed is what the code makes now. `./cloud generate` writes it anew.</summary>
public sealed class GeneratedFilesTests
{
    [Fact]
    public void Every_trigger_has_its_function_json_and_nothing_else_has()
    {
        var folder = Repository.Path("infra/azure/functions");
        foreach (var trigger in Triggers.All(Slices.All)) Golden.Same(Path.Combine(folder, trigger.Name, "function.json"), FunctionJson.Of(trigger));
        Assert.Equal(Triggers.All(Slices.All).Select(t => t.Name).Order(), Directory.GetDirectories(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Every_service_has_its_openapi_document_and_its_lines_in_the_list()
    {
        foreach (var slice in Slices.All) Golden.Same(Repository.Path($"docs/openapi/{slice.Prefix}.json"), OpenApi.Of(slice));
        Assert.Equal(Slices.All.Select(s => s.Prefix + ".json").Order(), Directory.GetFiles(Repository.Path("docs/openapi")).Select(Path.GetFileName).Order());
        Golden.Same(Repository.Path("docs/coverage.md"), Coverage.Of(Slices.All) + Skipped());
    }

    /// <summary>What OpenStack's own tests of finished services don't try, by name.</summary>
    private static string Skipped() => "\n## Skipped by OpenStack's own tests\n\nOf Keystone's, Glance's and Swift's ([conformance.md](conformance.md)); no other may be: `./cloud conformance` counts it as failed.\n\n| class or test | why |\n|---|---|\n"
        + string.Concat(File.ReadLines(Repository.Path("tests/Conformance/skipped.txt")).Select(l => l.Split('\t')).Select(l => $"| `{l[0]}` | {l[1]} |\n"));

    [Fact]
    public void Openapi_documents_hold_together()
    {
        foreach (var slice in Slices.All)
        {
            var text = OpenApi.Of(slice);
            var document = JsonDocument.Parse(text).RootElement;
            var schemas = document.GetProperty("components").GetProperty("schemas");
            foreach (Match r in Regex.Matches(text, "\"\\$ref\": \"#/components/schemas/([^\"]+)\"")) Assert.True(schemas.TryGetProperty(r.Groups[1].Value, out _), r.Value);
            var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(m => (p.Name, m.Value))).ToList();
            foreach (var (path, operation) in operations)
            {
                var named = operation.TryGetProperty("parameters", out var all) ? all.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "path").Select(p => p.GetProperty("name").GetString()!) : [];
                Assert.Equal(Regex.Matches(path, @"\{([^}]+)\}").Select(m => m.Groups[1].Value), named);
            }
            Assert.Equal(slice.Routes.Count, operations.Sum(o => o.Value.TryGetProperty("x-actions", out var actions) ? actions.GetArrayLength() : 1));
            // A name that two kinds share would describe only one of them.
            Assert.All(slice.Routes.Select(r => r.Shape).OfType<Shape>().GroupBy(s => s.Name), g => Assert.Single(g.Select(s => string.Join(',', s.Fields.Select(f => f.Wire))).Distinct()));
        }
    }

    [Fact]
    public void Host_json_starts_this_executable_and_passes_requests_on()
    {
        var host = JsonDocument.Parse(File.ReadAllText(Repository.Path("host.json"))).RootElement;
        Assert.Equal("2.0", host.GetProperty("version").GetString());
        var handler = host.GetProperty("customHandler");
        Assert.True(handler.GetProperty("enableProxyingHttpRequest").GetBoolean());
        Assert.Equal(typeof(CustomHandler).Assembly.GetName().Name, handler.GetProperty("description").GetProperty("defaultExecutablePath").GetString());
        Assert.Equal("", host.GetProperty("extensions").GetProperty("http").GetProperty("routePrefix").GetString());
        // A lock that runs out while its function still runs would let a second delivery run beside it.
        Assert.True(TimeSpan.Parse(host.GetProperty("extensions").GetProperty("serviceBus").GetProperty("maxAutoLockRenewalDuration").GetString()!, null) >= TimeSpan.Parse(host.GetProperty("functionTimeout").GetString()!, null));
    }

    [Theory]
    [InlineData(10, "*/10 * * * * *")]
    [InlineData(60, "0 */1 * * * *")]
    [InlineData(1800, "0 */30 * * * *")]
    [InlineData(7200, "0 0 */2 * * *")]
    [InlineData(86400, "0 0 0 * * *")]
    public void Schedules_are_written_with_six_fields(int seconds, string cron) => Assert.Equal(cron, FunctionJson.Cron(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(7)]
    [InlineData(90)]
    [InlineData(18000)]
    [InlineData(0.5)]
    [InlineData(7.5)]
    public void Schedules_that_would_drift_are_refused(double seconds) => Assert.Throws<ArgumentException>(() => FunctionJson.Cron(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Functions_that_are_gone_are_removed_and_strangers_stay()
    {
        var folder = Directory.CreateTempSubdirectory("cs-functions-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "old"));
            File.WriteAllText(Path.Combine(folder, "old", "function.json"), "{}");
            Directory.CreateDirectory(Path.Combine(folder, "docs"));
            FunctionJson.Write(folder, [new HttpTrigger("http-a", "a")]);
            Assert.Equal(["docs", "http-a"], Directory.GetDirectories(folder).Select(Path.GetFileName).Order());
        }
        finally { Directory.Delete(folder, recursive: true); }
    }
}
