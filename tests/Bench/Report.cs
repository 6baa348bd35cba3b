using System.Globalization;

namespace Cloud.Bench;

/// <summary>Tables that read well on a terminal and are Markdown too.</summary>
public static class Report
{
    public static string Operations(IReadOnlyList<Figures> all) => Table(
        ["operation", "callers", "n", "p50 ms", "p95 ms", "per s", "CPU-ms each", "Zed CPU-ms", "Zed p50 ms", "times less", "goal", "met"],
        all.Select(f =>
        {
            var zed = Array.Find(Zed.All, z => z.Scenario == f.Scenario)!;
            var (goal, met) = GoalOf(f, zed);
            return new[] { f.Scenario, $"{f.Callers}", $"{f.Count}" + (f.Failed > 0 ? $" ({f.Failed} failed)" : ""), N(f.P50), N(f.P95), N(f.PerSecond), N(f.CpuMs), zed.Shown, zed.P50, N(zed.CpuMs / f.CpuMs), goal, met ? "yes" : "NO" };
        }));

    public static (string Goal, bool Met) GoalOf(Figures f, Measured zed) => f.Failed > 0 ? ("no failure", false) : f.Scenario switch
    {
        "storm of 100" => ("under 3 s", f.P50 < 3000),
        "server life" when f.Callers == 1 => ("100 times less; ACTIVE under 100 ms", f.CpuMs * zed.Less <= zed.CpuMs && f.P50 < 100),
        _ => ($"{zed.Less} times less", f.CpuMs * zed.Less <= zed.CpuMs),
    };

    public static string Table(string[] head, IEnumerable<string[]> rows)
    {
        var all = rows.Prepend(head).ToList();
        var widths = head.Select((_, i) => all.Max(r => r[i].Length)).ToArray();
        string Line(string[] cells) => "| " + string.Join(" | ", cells.Select((c, i) => i == 0 ? c.PadRight(widths[i]) : c.PadLeft(widths[i]))) + " |\n";
        return Line(head) + "|" + string.Concat(widths.Select((w, i) => (i == 0 ? new string('-', w + 2) : new string('-', w + 1) + ":") + "|")) + "\n" + string.Concat(all.Skip(1).Select(Line));
    }

    public static string N(double v) => v.ToString(v >= 100 ? "#,0" : v >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
