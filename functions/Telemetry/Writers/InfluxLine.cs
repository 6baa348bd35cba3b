using System.Globalization;
using System.Text;

namespace Cloud.Telemetry;

/// <summary>One line of InfluxDB's protocol: <c>measurement,tag=value field=1,other=2i 1510581804179554816</c>. Fields that are no numbers are left out.</summary>
internal sealed record InfluxLine(string Measurement, SortedDictionary<string, string> Tags, IReadOnlyList<(string Name, double Value)> Fields, long? Time)
{
    /// <returns>Null for what isn't one.</returns>
    public static InfluxLine? Parse(string line)
    {
        var (at, tags, fields) = (0, new SortedDictionary<string, string>(StringComparer.Ordinal), new List<(string, double)>());
        var measurement = Word(line, ref at, ", ");
        while (at < line.Length && line[at] == ',')
        {
            at++;
            var name = Word(line, ref at, "=, ");
            if (at >= line.Length || line[at] != '=') return null;
            at++;
            tags[name] = Word(line, ref at, ", ");
        }
        if (measurement.Length == 0 || at >= line.Length) return null;
        do
        {
            at++;
            var name = Word(line, ref at, "=, ");
            if (name.Length == 0 || at >= line.Length || line[at] != '=') return null;
            var quoted = ++at < line.Length && line[at] == '"';
            var value = Word(line, ref at, ", ");
            if (quoted) continue;
            if (double.TryParse(value.EndsWith('i') ? value[..^1] : value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) fields.Add((name, number));
            else if (value.ToLowerInvariant() is not ("t" or "f" or "true" or "false")) return null;
        }
        while (at < line.Length && line[at] == ',');
        if (at >= line.Length) return new(measurement, tags, fields, null);
        return long.TryParse(line.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var time) ? new(measurement, tags, fields, time) : null;
    }

    /// <summary>Up to one of the signs; a backslash before a sign, and quotes around a text, take its meaning.</summary>
    private static string Word(string line, ref int at, string ends)
    {
        var (word, quoted) = (new StringBuilder(), at < line.Length && line[at] == '"');
        if (quoted) at++;
        for (; at < line.Length; at++)
        {
            if (line[at] == '\\' && at + 1 < line.Length && (quoted ? "\"\\" : " ,=\\").Contains(line[at + 1], StringComparison.Ordinal)) word.Append(line[++at]);
            else if (quoted && line[at] == '"') { at++; break; }
            else if (!quoted && ends.Contains(line[at], StringComparison.Ordinal)) break;
            else word.Append(line[at]);
        }
        return word.ToString();
    }
}
