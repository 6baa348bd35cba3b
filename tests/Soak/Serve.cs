using System.Globalization;
using System.Net;
using Cloud.Tests.Kit;

namespace Cloud.Soak;

/// <summary>A cloud on Functions as we play them, for whoever comes, until it is asked to end; nothing is killed but instances that have done what they are let do.</summary>
public static class Serve
{
    /// <exception cref="ArgumentException">With a text for the terminal.</exception>
    public static async Task Run(string[] args, CancellationToken stop)
    {
        var plan = new FunctionsPlan(AppContext.BaseDirectory, "", IPEndPoint.Parse("127.0.0.1:8774"));
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value");
            int Number() => int.TryParse(value, CultureInfo.InvariantCulture, out var n) && n > 0 ? n : throw new ArgumentException($"{args[i]} takes a number");
            plan = args[i] switch
            {
                "--listen" => plan with { Listen = IPEndPoint.TryParse(value, out var at) ? at : throw new ArgumentException("--listen takes ADDRESS:PORT") },
                "--data" => plan with { Root = Path.GetFullPath(value) },
                "--program" => plan with { Program = Path.GetFullPath(value) },
                "--settings" => plan with { Settings = Path.GetFullPath(value) },
                "--every" => plan with { Every = Number() },
                "--hosts" => plan with { Hosts = Number() },
                _ => throw new ArgumentException($"unknown option {args[i]}"),
            };
        }
        if (plan.Root.Length == 0) throw new ArgumentException("--data must be given");
        await using var cloud = await FunctionsCloud.Prepare(plan) ?? throw new ArgumentException(FunctionsCloud.Missing);
        await cloud.Start();
        await File.WriteAllTextAsync(Path.Combine(plan.Root, "openrc"), cloud.OpenRc, CancellationToken.None);
        Console.WriteLine("ready " + cloud.Url);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await cloud.Stop();
        Console.WriteLine($"{cloud.Executions} executions by {cloud.Processes} processes, {cloud.Crashes} of which ended by themselves");
    }
}
