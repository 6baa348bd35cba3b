using System.Diagnostics;
using System.Globalization;
using Cloud.Image;
using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>The process that looks at images, as it really is.</summary>
public sealed class ConfinementTests
{
    [Fact]
    public async Task It_answers_as_this_process_would()
    {
        using var child = new ChildProcess();
        foreach (var (format, data) in new[] { ("qcow2", ImageBytes.Qcow2(5UL << 30)), ("vmdk", ImageBytes.Vmdk("streamOptimized", "RW 2048 SPARSE \"a.vmdk\"")), ("raw", ImageBytes.Qcow2()), ("vmdk", ImageBytes.Vmdk("monolithicFlat", "RW 1 FLAT \"/etc/passwd\" 0")) })
        {
            var head = data.AsMemory(0, Math.Min(data.Length, ImageFormat.MaxHead));
            Assert.Equal(Inspection.Answer(format, data.Length, head.Span), await child.Run(Inspection.Verb, [format, data.Length.ToString(CultureInfo.InvariantCulture)], head, default));
        }
    }

    [Fact]
    public async Task What_breaks_down_there_is_told_apart_from_an_answer()
    {
        using var child = new ChildProcess();
        await Assert.ThrowsAsync<ConfinedException>(() => child.Run("no-such-verb", [], new byte[100_000], default));
    }

    [Fact]
    public async Task It_has_given_up_everything_before_it_reads()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Cloud.Functions"), [Inspection.Verb, "raw", "1"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in Confinement.Runtime) start.Environment[name] = value;
        using var child = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience.Span);
        // It says nothing until it has read all: this is what the kernel says of it when it waits for that.
        string Of(string file, string line) => File.ReadLines($"/proc/{child.Id}/{file}").First(l => l.StartsWith(line, StringComparison.Ordinal))[line.Length..].Trim();
        while (Of("status", "NoNewPrivs:") != "1" || Environment.IsPrivilegedProcess && !Of("status", "Uid:").StartsWith("65534", StringComparison.Ordinal)) await Task.Delay(10, patience.Token);
        foreach (var (limit, most) in new[] { ("Max file size", "0"), ("Max data size", "268435456"), ("Max core file size", "0"), ("Max processes", "0"), ("Max open files", "0") })
            Assert.Equal((limit, most), (limit, Of("limits", limit).Split(' ')[0]));
        Assert.InRange(int.Parse(Of("limits", "Max cpu time").Split(' ')[0], CultureInfo.InvariantCulture), 3, 60); // two seconds, and what starting took
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Equal("65534\t65534\t65534\t65534", Of("status", "Uid:"));
            Assert.Equal(("", "0000000000000000", "0000000000000000"), (Of("status", "Groups:"), Of("status", "CapEff:"), Of("status", "CapPrm:")));
        }
        child.StandardInput.Close();
        Assert.Equal("1", await child.StandardOutput.ReadToEndAsync(patience.Token));
    }
}
