using System.Diagnostics;
using Cloud.Demo.Tools;

namespace Cloud.Demo;

/// <summary>One step: it returns when everything in it was seen to work.</summary>
public sealed record Step(string Title, Func<Stage, Task> Run);

/// <summary>Something was not as it should be.</summary>
public sealed class DemoFault(string expected, string seen) : Exception($"expected {expected}, seen: {seen}")
{
    public string Expected => expected;
    public string Seen => seen;
}

/// <summary>What steps share: the cloud, its clients, what was made, what was measured, and how to undo it all.</summary>
public sealed class Stage(string root, string data, int boots, Screen screen, CancellationToken stop)
{
    private readonly Stack<(string What, Func<Task> Undo)> undo = [];

    public string Root => root;
    public string Data => data;
    /// <summary>How often a guest is started each way, to compare them.</summary>
    public int Boots => boots;
    public string Logs => Path.Combine(data, "logs");
    public CancellationToken Stop => stop;
    public List<(string What, string Value)> Measured { get; } = [];

    public CloudProcess Cloud { get; set; } = null!;
    public OpenStack Admin { get; set; } = null!;
    public OpenStack User { get; set; } = null!;
    public Internet Internet { get; set; } = null!;
    public WebhookReceiver Receiver { get; set; } = null!;
    public Made Made { get; } = new();

    /// <summary>Tells what is going on, in one line.</summary>
    public void Say(string text) => screen.Say(text);

    /// <summary>Shows a text of several lines as it is.</summary>
    public void Exhibit(string title, IEnumerable<string> lines) => screen.Exhibit(title, lines);

    public void Measure(string what, string value)
    {
        Measured.Add((what, value));
        Say($"{what}: {value}");
    }

    /// <summary>Checks one thing and says so.</summary>
    /// <param name="seen">When it holds; and when it doesn't, unless <paramref name="otherwise"/> says that better.</param>
    public void Expect(bool holds, string expected, string seen, string? otherwise = null)
    {
        if (!holds) throw new DemoFault(expected, otherwise ?? seen);
        Say($"{expected}: {seen}");
    }

    /// <summary>Looks until it holds; fails with the last thing seen when that takes too long.</summary>
    public async Task<string> Until(string expected, TimeSpan patience, Func<Task<(bool Holds, string Seen)>> look)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var (holds, seen) = await look();
            if (holds)
            {
                Say($"{expected}: {seen}");
                return seen;
            }

            if (Stopwatch.GetElapsedTime(began) > patience) throw new DemoFault($"{expected} within {patience.TotalSeconds:0} s", seen);
            await Task.Delay(200, stop);
        }
    }

    /// <summary>Remembers how to undo something; the last is undone first.</summary>
    public void Later(string what, Func<Task> act) => undo.Push((what, act));

    /// <summary>Undoes everything, whatever happens. Returns what didn't work.</summary>
    public async Task<IReadOnlyList<string>> Undo()
    {
        var failed = new List<string>();
        while (undo.TryPop(out var next))
        {
            try { await next.Undo(); }
            catch (Exception e) when (e is DemoFault or IOException or InvalidOperationException or TimeoutException) { failed.Add($"{next.What}: {e.Message}"); }
        }
        return failed;
    }
}

/// <summary>Ids of what was made.</summary>
public sealed class Made
{
    public string Project { get; set; } = "";
    public string Image { get; set; } = "";
    public string FirstServer { get; set; } = "";
    public string SecondServer { get; set; } = "";
    public string SecondPort { get; set; } = "";
    public string FloatingIp { get; set; } = "";
    public string KeyFile { get; set; } = "";
    public string Webhook { get; set; } = "";
    /// <summary>The webhook hears of what comes after this cursor.</summary>
    public string WebhookFrom { get; set; } = "";
    /// <summary>Written to the volume by the first guest, read by the second.</summary>
    public string Secret { get; set; } = "";
    /// <summary>Rows of the cloud before anybody used it.</summary>
    public IReadOnlySet<string> RowsBefore { get; set; } = new HashSet<string>();
}
