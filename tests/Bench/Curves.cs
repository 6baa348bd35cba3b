using System.Globalization;
using System.Text;

namespace Cloud.Bench;

/// <summary>A picture of curves, both axes logarithmic: what is level costs the same however much there is.</summary>
internal static class Curves
{
    private const int Width = 860, Height = 520, Left = 70, Right = 250, Top = 50, Bottom = 60;
    private static readonly string[] s_colours = ["#1b6ca8", "#c2452d", "#3a7d44", "#8e44ad", "#b8860b", "#2f4f4f", "#d1478c", "#5f9ea0"];

    /// <param name="x">Where the points are, ascending.</param>
    /// <param name="names">Of the points.</param>
    /// <param name="lines">Milliseconds at each.</param>
    public static string Svg(string title, IReadOnlyList<double> x, IReadOnlyList<string> names, IReadOnlyList<(string Name, IReadOnlyList<double> Ms)> lines)
    {
        var (least, most) = (Math.Floor(Math.Log10(lines.Min(l => l.Ms.Min()))), Math.Ceiling(Math.Log10(lines.Max(l => l.Ms.Max()))));
        double X(double v) => Left + ((Width - Left - Right) * (Math.Log10(v) - Math.Log10(x[0])) / (Math.Log10(x[^1]) - Math.Log10(x[0])));
        double Y(double v) => Height - Bottom - ((Height - Top - Bottom) * (Math.Log10(v) - least) / (most - least));
        var svg = new StringBuilder();
        void Add(FormattableString text) => svg.AppendLine(text.ToString(CultureInfo.InvariantCulture));
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12"><rect width="{Width}" height="{Height}" fill="white"/>""");
        Add($"""<text x="{Left}" y="24" font-size="15">{title}</text>""");
        for (var e = least; e <= most; e++)
        {
            var y = Y(Math.Pow(10, e));
            Add($"""<line x1="{Left}" y1="{y:0.0}" x2="{Width - Right}" y2="{y:0.0}" stroke="#ddd"/><text x="{Left - 6}" y="{y + 4:0.0}" text-anchor="end">{Math.Pow(10, e):0.####} ms</text>""");
        }
        for (var i = 0; i < x.Count; i++)
            Add($"""<line x1="{X(x[i]):0.0}" y1="{Top}" x2="{X(x[i]):0.0}" y2="{Height - Bottom}" stroke="#ddd"/><text x="{X(x[i]):0.0}" y="{Height - Bottom + 20}" text-anchor="middle">{names[i]}</text>""");
        // Names lie where their lines end, but not on each other.
        var free = double.NegativeInfinity;
        foreach (var (line, i) in lines.Select((l, i) => (l, i)).OrderBy(p => Y(p.l.Ms[^1])))
        {
            var colour = s_colours[i % s_colours.Length];
            free = Math.Max(Y(line.Ms[^1]), free + 15);
            Add($"""<polyline fill="none" stroke="{colour}" stroke-width="2" points="{string.Join(' ', line.Ms.Select((ms, n) => string.Create(CultureInfo.InvariantCulture, $"{X(x[n]):0.0},{Y(ms):0.0}")))}"/>""");
            foreach (var (ms, n) in line.Ms.Select((ms, n) => (ms, n))) Add($"""<circle cx="{X(x[n]):0.0}" cy="{Y(ms):0.0}" r="3" fill="{colour}"/>""");
            Add($"""<text x="{Width - Right + 10}" y="{free + 4:0.0}" fill="{colour}">{line.Name} ({line.Ms[^1]:0.##} ms)</text>""");
        }
        svg.AppendLine("</svg>");
        return svg.ToString();
    }
}
