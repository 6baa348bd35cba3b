using System.Diagnostics;
using System.Text.Json;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Azure;

/// <summary>Bicep's own compiler takes infra/azure/main.bicep and has nothing to say about it. What Azure says only a deployment can tell.</summary>
public sealed class BicepCompilerTests
{
    [Fact]
    public async Task It_compiles_without_a_warning_and_names_its_outputs()
    {
        var program = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(d => Path.Combine(d, "bicep")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "needs bicep on the path (infra/cli/bicep.sh)");
        using var compiler = Process.Start(new ProcessStartInfo(program!, ["build", Repository.Path("infra/azure/main.bicep"), "--stdout"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = compiler.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var template = await compiler.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await compiler.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await said);
        Assert.Equal(["app", "url", "vault"], JsonDocument.Parse(template).RootElement.GetProperty("outputs").EnumerateObject().Select(o => o.Name).Order());
    }
}
