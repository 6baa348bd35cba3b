using System.Collections.Concurrent;
using System.Diagnostics;

namespace Cloud.Bench;

/// <summary>What a run of one scenario showed. Times in ms; <paramref name="CpuMs"/> is the control plane's per operation.</summary>
public sealed record Figures(string Scenario, int Callers, int Count, double P50, double P95, double PerSecond, double CpuMs, int Failed)
{
    public static double Quantile(IEnumerable<double> values, double q)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)Math.Ceiling(q * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}

/// <summary>Closed loops: each caller sends its next request when the last was answered.</summary>
public sealed class Load(Subject cloud)
{
    /// <summary>Repeats one request for a time, after a warm-up that counts for nothing.</summary>
    public async Task<Figures> Rate(string scenario, int callers, TimeSpan time, Func<Task<Answer>> request, Action<Answer>? each = null)
    {
        await Loop(16, TimeSpan.FromSeconds(1), request, each, []); // many at once, so that the code is compiled when it counts
        await cloud.Settle();
        var (ms, clock, cpu) = (new ConcurrentBag<double>(), Stopwatch.StartNew(), cloud.CpuMs());
        var failed = await Loop(callers, time, request, each, ms);
        var seconds = clock.Elapsed.TotalSeconds;
        await cloud.Settle();
        return new(scenario, callers, ms.Count, Figures.Quantile(ms, .5), Figures.Quantile(ms, .95), ms.Count / seconds, (cloud.CpuMs() - cpu) / Math.Max(1, ms.Count + failed), failed);
    }

    /// <summary>Runs something longer a number of times; <paramref name="one"/> returns the time that is reported.</summary>
    public async Task<Figures> Repeat(string scenario, int callers, int times, Func<int, Task<TimeSpan>> one)
    {
        await cloud.Settle();
        var (ms, failed, clock, cpu) = (new ConcurrentBag<double>(), 0, Stopwatch.StartNew(), cloud.CpuMs());
        await Parallel.ForEachAsync(Enumerable.Range(0, times), new ParallelOptions { MaxDegreeOfParallelism = callers }, async (i, _) =>
        {
            try { ms.Add((await one(i)).TotalMilliseconds); }
            catch (Exception e) when (e is InvalidOperationException or TimeoutException or HttpRequestException)
            {
                if (Interlocked.Increment(ref failed) == 1) await Console.Error.WriteLineAsync($"{scenario}: {e.Message}");
            }
        });
        var seconds = clock.Elapsed.TotalSeconds;
        await cloud.Settle();
        return new(scenario, callers, times, Figures.Quantile(ms, .5), Figures.Quantile(ms, .95), ms.Count / seconds, (cloud.CpuMs() - cpu) / times, failed);
    }

    private static async Task<int> Loop(int callers, TimeSpan time, Func<Task<Answer>> request, Action<Answer>? each, ConcurrentBag<double> ms)
    {
        var (clock, failed) = (Stopwatch.StartNew(), 0);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < time)
            {
                var start = clock.Elapsed;
                var answer = await request();
                if (answer.Ok) { ms.Add((clock.Elapsed - start).TotalMilliseconds); each?.Invoke(answer); }
                else if (Interlocked.Increment(ref failed) == 1) await Console.Error.WriteLineAsync($"{answer.Status} {System.Text.Encoding.UTF8.GetString(answer.Body)}");
            }
        })));
        return failed;
    }
}
