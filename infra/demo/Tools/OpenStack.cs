using System.Text.Json;

namespace Cloud.Demo.Tools;

/// <summary>The openstack command as it comes from Debian, for one user. About two seconds of each call are Python's start.</summary>
public sealed class OpenStack(IReadOnlyDictionary<string, string> environment, Stage stage)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static int Calls { get; private set; }

    public async Task<string> Run(params string[] arguments)
    {
        stage.Say($"$ openstack {string.Join(' ', arguments.Select((a, i) => i > 0 && arguments[i - 1] == "--password" ? "***" : a))}");
        return await Ask(arguments);
    }

    /// <summary>The same without a word: for what is asked again and again.</summary>
    public async Task<string> Ask(params string[] arguments)
    {
        Calls++;
        return (await Tool.Run("openstack", arguments, Patience, stage.Stop, environment: environment)).Trim();
    }

    public async Task<JsonElement> Json(params string[] arguments)
    {
        var text = await Run([.. arguments, "-f", "json"]);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    /// <summary>Makes something; its id.</summary>
    public async Task<string> Make(params string[] arguments) => await Run([.. arguments, "-f", "value", "-c", "id"]);

    /// <summary>One property of something, asked for until it is what it should become.</summary>
    public async Task Becomes(string wanted, TimeSpan patience, string property, params string[] show) =>
        await stage.Until($"{string.Join(' ', show)} becomes {wanted}", patience, async () =>
        {
            var value = await Ask([.. show, "-f", "value", "-c", property]);
            if (value.Equals("error", StringComparison.OrdinalIgnoreCase)) throw new DemoFault($"{string.Join(' ', show)} becomes {wanted}", value);
            return (value == wanted, value);
        });
}
