using System.Diagnostics;
using Cloud.Demo.Tools;

namespace Cloud.Demo;

/// <summary>Runs the steps in order, undoes what they started, and prints how it went.</summary>
public static class Show
{
    public static async Task<int> Run(IReadOnlyList<Step> steps, string root, string data, int boots, CancellationToken stop)
    {
        var screen = new Screen([.. steps.Select(s => s.Title)]);
        var stage = new Stage(root, data, boots, screen, stop);
        Exception? fault = null;
        await screen.Live(async () =>
        {
            for (var i = 0; i < steps.Count && fault is null; i++)
            {
                var began = Stopwatch.GetTimestamp();
                screen.Begin(i);
                try
                {
                    await steps[i].Run(stage);
                    screen.End(i, true, Stopwatch.GetElapsedTime(began));
                }
                catch (Exception e) when (e is DemoFault or IOException or InvalidOperationException or OperationCanceledException or System.Text.Json.JsonException or HttpRequestException or TimeoutException)
                {
                    fault = e;
                    screen.End(i, false, Stopwatch.GetElapsedTime(began));
                }
            }
        });

        var left = await stage.Undo();
        screen.Summary(stage.Measured);
        foreach (var what in left) Console.Error.WriteLine($"could not be undone: {what}");
        if (fault is not null)
        {
            Console.Error.WriteLine(fault switch
            {
                DemoFault f => $"FAILED\n  expected: {f.Expected}\n  seen:     {f.Seen}\n  logs:     {stage.Logs}",
                OperationCanceledException => "stopped; everything that was started is ended",
                _ => $"FAILED: {fault}\n  logs: {stage.Logs}",
            });
            return 1;
        }

        if (left.Count > 0) return 1;
        Directory.Delete(data, recursive: true);
        return 0;
    }
}
