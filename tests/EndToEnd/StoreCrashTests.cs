using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Text;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Platform.State;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>kill -9 in the midst of writing: what was acknowledged is there, and nothing is there by half.</summary>
public sealed class StoreCrashTests
{
    private const string Child = "CS_STORE_CHILD";
    private const int Writers = 4;

    [Fact]
    public async Task No_acknowledged_write_is_lost_to_a_kill()
    {
        using var directory = new Scratch();
        var file = Path.Combine(directory.Path, "s.db");
        var (acknowledged, chance) = (new HashSet<string>(), new Random(20300101));
        for (var life = 0; life < 4; life++)
        {
            using var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
            var start = new ProcessStartInfo("dotnet", [typeof(StoreCrashTests).Assembly.Location, "-noLogo", "-method", $"{typeof(StoreCrashTests).FullName}.{nameof(A_process_that_writes_until_it_is_killed)}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment[Child] = $"{file}|{pipe.GetClientHandleAsString()}|{life}";
            using var child = Process.Start(start)!;
            pipe.DisposeLocalCopyOfClientHandle();
            _ = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            using var lines = new StreamReader(pipe);
            for (var left = chance.Next(50, 400); await lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line;)
            {
                acknowledged.Add(line);
                if (--left == 0) child.Kill();
            }
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            await Check(file, acknowledged);
        }
        Assert.True(acknowledged.Count > 200);
    }

    private static async Task Check(string file, HashSet<string> acknowledged)
    {
        using var state = LocalState.Open(file, TimeProvider.System);
        var rows = new Dictionary<string, int>();
        var counts = new Dictionary<string, int>();
        await foreach (var row in state.Store.Partitions("w"))
            if (row.Key == "count") counts[row.Partition] = int.Parse(row.Body.Span, CultureInfo.InvariantCulture);
            else rows[$"{row.Partition} {row.Key}"] = 1;
        foreach (var a in acknowledged) Assert.True(rows.ContainsKey(a), $"{a} was acknowledged and is gone");
        foreach (var (partition, count) in counts) Assert.Equal(count, rows.Keys.Count(k => k.StartsWith(partition + " ", StringComparison.Ordinal)));

        // Each row came with a message. Those that were completed may come once more, the others must come.
        var messages = (await state.Bus.Receive("q", int.MaxValue, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Select(d => d.Message.Id).ToHashSet();
        foreach (var row in rows.Keys.Where(r => !messages.Contains(r))) Assert.EndsWith("0", row);
        Assert.All(messages, m => Assert.True(rows.ContainsKey(m), $"message {m} of a write that never was"));
    }

    /// <summary>Does nothing unless it is the child.</summary>
    [Fact]
    public async Task A_process_that_writes_until_it_is_killed()
    {
        if (Environment.GetEnvironmentVariable(Child)?.Split('|') is not [var file, var handle, var life]) return;
        using var pipe = new AnonymousPipeClientStream(PipeDirection.Out, handle);
        using var state = LocalState.Open(file, TimeProvider.System);
        async Task Say(string text)
        {
            var line = Encoding.UTF8.GetBytes(text + "\n");
            await Task.Yield();
            lock (pipe) pipe.Write(line);
        }
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(async () =>
        {
            for (var n = 0; n < 100_000; n++)
            {
                var (partition, key) = ($"w{w}", $"{life}.{n:000000}");
                var count = await state.Store.Get(partition, "count");
                var next = Encoding.UTF8.GetBytes($"{(count is null ? 1 : int.Parse(count.Body.Span, CultureInfo.InvariantCulture) + 1)}");
                await state.Store.Commit(partition, [new Op.Insert(key, "x"u8.ToArray()), count is null ? new Op.Insert("count", next) : new Op.Replace("count", next, count.ETag)], [new Message("q", $"{partition} {key}", "x"u8.ToArray())]);
                await Say($"{partition} {key}");
                foreach (var d in await state.Bus.Receive("q", 4, TimeSpan.FromMinutes(1), TimeSpan.Zero))
                    if (d.Message.Id.EndsWith('0')) await state.Bus.Complete(d);
            }
        })));
    }

    private sealed class Scratch : IDisposable
    {
        public string Path { get; } = System.IO.Directory.CreateTempSubdirectory("cs-crash-").FullName;
        public void Dispose() => System.IO.Directory.Delete(Path, recursive: true);
    }
}
