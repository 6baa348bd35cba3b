using System.Reflection;
using System.Text.RegularExpressions;
using Cloud.Agents.Contract;
using Cloud.Platform.Bus.Brokers;
using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>infra/azure/main.bicep makes the queues that the code reads and sets what it asks for. That the files are good Bicep only its compiler can say: docs/azure.md.</summary>
public sealed class BicepTests
{
    /// <summary>Those that must be set, or the process would keep something itself.</summary>
    private static readonly string[] s_places = [CustomHandler.Tables, CustomHandler.Bus, CustomHandler.Blobs, CustomHandler.AdminPassword];

    private static string Module(string name) => File.ReadAllText(Repository.Path($"infra/azure/modules/{name}.bicep"));

    private static List<(string Name, string Value)> Settings() => [.. Regex.Matches(Module("app"), @"^ {6}([A-Z]\w+): (.+)$", RegexOptions.Multiline).Select(m => (m.Groups[1].Value, m.Groups[2].Value))];

    [Fact]
    public void Its_queues_are_those_of_the_triggers_with_sessions_where_they_have_them()
    {
        var made = Regex.Matches(Module("bus"), @"\{ name: '([a-z-]+)', sessions: (true|false) \}").Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}").Order(StringComparer.Ordinal);
        var read = Triggers.All(Slices.All).OfType<QueueTrigger>().Select(q => $"{q.Queue} {(q.Sessions ? "true" : "false")}").Order(StringComparer.Ordinal);
        Assert.Equal(read, made);
    }

    [Fact]
    public void There_are_queues_for_answers_and_for_each_host()
    {
        var broker = Broker.Parse("Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=cloud;SharedAccessKey=a2V5");
        var answers = Regex.Match(Module("bus"), $@"name: '{broker.Queue("answer.x")}'\n[^}}]*requiresSession: true");
        Assert.True(answers.Success);
        Assert.Contains($"name: '{broker.Queue(Names.HostQueue("${h}"))}'", Module("bus"), StringComparison.Ordinal);
        Assert.DoesNotContain("requiresDuplicateDetection: true", Module("bus"), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_setting_is_one_that_our_code_or_the_Functions_host_reads()
    {
        var ours = typeof(CustomHandler).GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!).Append(Tracing.Endpoint).ToHashSet();
        var unread = Settings().Select(s => s.Name).Where(n => !ours.Contains(n) && !Regex.IsMatch(n, $"^({FunctionJson.Connection}__|AzureWebJobsStorage__|APPLICATIONINSIGHTS_)"));
        Assert.Empty(unread);
        Assert.Equal(Settings().Count, Settings().DistinctBy(s => s.Name).Count());
    }

    [Fact]
    public void Everything_is_kept_elsewhere_and_no_secret_is_a_setting()
    {
        var settings = Settings().ToDictionary(s => s.Name, s => s.Value);
        Assert.All(s_places, place => Assert.Contains(place, settings.Keys));
        Assert.Equal(("tables", "blobs", "'sb://${bus}.servicebus.windows.net'", "client"), (settings[CustomHandler.Tables], settings[CustomHandler.Blobs], settings[CustomHandler.Bus], settings[CustomHandler.Client]));
        Assert.Equal("'@Microsoft.KeyVault(SecretUri=${administratorAt})'", settings[CustomHandler.AdminPassword]);
        Assert.DoesNotContain(CustomHandler.Data, settings.Keys);
    }

    [Fact]
    public void Nothing_has_a_key_that_opens_it()
    {
        foreach (var file in Directory.GetFiles(Repository.Path("infra/azure"), "*.bicep", SearchOption.AllDirectories)) Assert.DoesNotContain("listKeys", File.ReadAllText(file), StringComparison.Ordinal);
        Assert.Contains("allowSharedKeyAccess: false", Module("storage"), StringComparison.Ordinal);
        Assert.Contains("disableLocalAuth: true", Module("bus"), StringComparison.Ordinal);
        Assert.DoesNotContain("AuthorizationRules", Module("bus"), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_parameter_says_what_it_is()
    {
        var lines = File.ReadAllLines(Repository.Path("infra/azure/main.bicep"));
        var said = false;
        foreach (var line in lines)
        {
            if (line.StartsWith("@description(", StringComparison.Ordinal)) said = true;
            else if (line.StartsWith("param ", StringComparison.Ordinal)) Assert.True(said, line);
            if (line.Length == 0) said = false;
        }
    }
}
