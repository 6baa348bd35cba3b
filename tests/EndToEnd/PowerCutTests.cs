using System.Globalization;
using Cloud.Platform.Bus;
using Cloud.Platform.Local;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>
/// All that the store does to its files is written down once, write by write; then it is opened as it was after each of them. What was acknowledged by then is there,
/// nothing is there by half: when the process ended there, and when the power went, which keeps what was synced and any sectors of the rest.
/// </summary>
public sealed class PowerCutTests(ITestOutputHelper output)
{
    private const string File = "s.db";
    private static readonly Lazy<Task<IReadOnlyList<Act>>> s_acts = new(Record);

    [Fact]
    public async Task A_process_that_ends_between_any_two_writes_leaves_whole_groups() => await Check((_, disk) => [disk.Killed]);

    [Fact]
    public async Task A_loss_of_power_leaves_whole_groups() => await Check((n, disk) =>
    {
        var chance = new Random(n);
        return [disk.Lost(chance, 0), disk.Lost(chance, 0.9), disk.Lost(chance, 1)];
    });

    /// <summary>Three lives: small groups, some at once; large ones, until what was written goes from the log into the file; and small ones again.</summary>
    private static async Task<IReadOnlyList<Act>> Record()
    {
        var directory = Directory.CreateTempSubdirectory("cs-power-");
        try
        {
            using var disk = new RecordedDisk(directory.FullName);
            var (chance, n) = (new Random(20300101), 0);
            foreach (var (groups, least, most) in ((int, int, int)[])[(8, 10, 2_000), (34, 50_000, 70_000), (4, 10, 2_000)])
            {
                disk.Note(most < 50_000 ? "small" : "large");
                using var state = LocalState.Open(Path.Combine(directory.FullName, File), TimeProvider.System);
                for (var i = 0; i < groups; i++) await Task.WhenAll(Enumerable.Range(0, i % 5 == 4 ? 3 : 1).Select(_ => Commit(n++)));
                async Task Commit(int group)
                {
                    var body = new byte[chance.Next(least, most)];
                    chance.NextBytes(body);
                    disk.Note($"asked {group}");
                    await state.Store.Commit($"p{group % 3}", [new Op.Insert($"{group:D4}.a", body), new Op.Insert($"{group:D4}.b", body), new Op.Upsert("last", body)], [new Message("q", $"{group}", "x"u8.ToArray())]);
                    disk.Note($"had {group}");
                }
            }
            return disk.Acts;
        }
        finally { directory.Delete(recursive: true); }
    }

    private async Task Check(Func<int, PastDisk, IReadOnlyList<IEnumerable<(string Name, byte[] Bytes)>>> pasts)
    {
        var (acts, disk, asked, had, looked, large) = (await s_acts.Value, new PastDisk(), new HashSet<int>(), new HashSet<int>(), 0, false);
        for (var n = 0; n < acts.Count; n++)
        {
            disk.Do(acts[n]);
            if (acts[n] is { What: Done.Note, File: var note })
            {
                if (note.Split(' ') is [var what, var group]) (what == "asked" ? asked : had).Add(int.Parse(group, CultureInfo.InvariantCulture));
                else large = note == "large";
            }
            // Of many writes one after the other those in the midst are much alike.
            else if (!large || n % 150 == 0 || Near(n, acts))
                foreach (var past in pasts(n, disk))
                {
                    await Look(past, asked, had, n);
                    looked++;
                }
        }
        output.WriteLine($"{acts.Count(a => a.What is not Done.Note)} writes and syncs, {looked} disks looked at");
        Assert.InRange(looked, 150, int.MaxValue);
    }

    /// <summary>The log is about to be taken over into the file, or has just been.</summary>
    private static bool Near(int n, IReadOnlyList<Act> acts) => Enumerable.Range(n - 2, 4).Any(i => acts.ElementAtOrDefault(i) is { What: Done.Sync or Done.Delete, File: File });

    private static async Task Look(IEnumerable<(string Name, byte[] Bytes)> files, HashSet<int> asked, HashSet<int> had, int when)
    {
        // Where nothing is synced for real: only what is read matters now.
        var directory = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), "cs-power-" + Guid.NewGuid().ToString("N")));
        try
        {
            foreach (var (name, bytes) in files) await System.IO.File.WriteAllBytesAsync(Path.Combine(directory.FullName, name), bytes);
            using var state = LocalState.Open(Path.Combine(directory.FullName, File), TimeProvider.System);
            var rows = new Dictionary<string, ReadOnlyMemory<byte>>();
            await foreach (var row in state.Store.Partitions("p")) rows[row.Key] = row.Body;
            var messages = (await state.Bus.Receive("q", int.MaxValue, TimeSpan.FromMinutes(1), TimeSpan.Zero)).Select(d => int.Parse(d.Message.Id, CultureInfo.InvariantCulture)).ToHashSet();
            foreach (var group in had) Assert.True(messages.Contains(group), $"after {when}: {group} was acknowledged and is gone");
            foreach (var group in asked)
            {
                var whole = messages.Contains(group);
                Assert.True(rows.TryGetValue($"{group:D4}.a", out var a) == whole && rows.TryGetValue($"{group:D4}.b", out var b) == whole && (!whole || a.Span.SequenceEqual(b.Span)), $"after {when}: {group} is there by half");
            }
            Assert.True(messages.IsSubsetOf(asked));
        }
        finally { directory.Delete(recursive: true); }
    }
}
