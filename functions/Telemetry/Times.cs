using System.Globalization;
using System.Text.RegularExpressions;

namespace Cloud.Telemetry;

/// <summary>Times as Gnocchi takes and shows them. Inside they are nanoseconds since 1970, which a long holds until the year 2262.</summary>
public static partial class Times
{
    public const long Second = 1_000_000_000;

    public static long Of(DateTimeOffset t) => (t.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * 100;

    public static DateTimeOffset At(long ns) => DateTimeOffset.UnixEpoch.AddTicks(ns / 100);

    /// <summary>The start of the span of this length that a time lies in.</summary>
    public static long Floor(long ns, long span) => ns - Remainder(ns, span);

    private static long Remainder(long ns, long span) => ns % span is var r && r < 0 ? r + span : r;

    /// <summary>2015-03-06T14:33:57+00:00, with a fraction only where there is one.</summary>
    public static string Show(long ns)
    {
        var text = At(ns).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        return ns % Second == 0 ? text + "+00:00" : $"{text}.{ns % Second:D9}+00:00";
    }

    /// <summary>The same to the microsecond, for times of resources.</summary>
    public static string Show(DateTimeOffset t) => t.UtcDateTime.ToString(t.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'+00:00'" : "yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);

    public static DateTimeOffset Microsecond(DateTimeOffset t) => t.AddTicks(-(t.Ticks % 10)).ToUniversalTime();

    /// <summary>
    /// Times of one request. What the first is, all must be: seconds since 1970, a time in ISO 8601 (UTC without an offset), or a span from now such as "-5 minutes".
    /// </summary>
    /// <exception cref="FormatException">With a text for the client.</exception>
    public static long[] Parse(IReadOnlyList<string> texts, DateTimeOffset now)
    {
        if (texts.Count == 0) return [];
        Func<string, long?> read = Number(texts[0]) is not null ? Number : Iso(texts[0]) is not null ? Iso : t => Span(t) is { } span ? Of(now) + span : null;
        var times = new long[texts.Count];
        for (var i = 0; i < times.Length; i++)
        {
            times[i] = read(texts[i]) ?? throw new FormatException("Unable to convert timestamps");
            if (times[i] < 0) throw new FormatException("Timestamp must be after Epoch");
        }
        return times;
    }

    /// <exception cref="FormatException">It is none.</exception>
    public static long Parse(string text, DateTimeOffset now) => Parse([text], now)[0];

    private static long? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && double.IsFinite(seconds) ? Nanoseconds(seconds) : null;

    private static long Nanoseconds(double seconds) => Math.Abs(seconds) <= 9_000_000_000 ? (long)(seconds * Second) : throw new FormatException("The time is out of range");

    private static long? Iso(string text)
    {
        if (IsoForm().Match(text) is not { Success: true } m) return null;
        int Part(string name, int or) => m.Groups[name] is { Success: true } g ? int.Parse(g.ValueSpan, CultureInfo.InvariantCulture) : or;
        try
        {
            var zone = m.Groups["zone"].Value is { Length: > 1 } z ? TimeSpan.FromMinutes((z[0] == '-' ? -1 : 1) * (int.Parse(z.AsSpan(1, 2), CultureInfo.InvariantCulture) * 60 + int.Parse(z.AsSpan(z.Length - 2), CultureInfo.InvariantCulture))) : TimeSpan.Zero;
            var whole = new DateTimeOffset(Part("y", 1), Part("mo", 1), Part("d", 1), Part("h", 0), Part("mi", 0), Part("s", 0), zone);
            return whole.ToUnixTimeSeconds() is var s && s <= 9_000_000_000 ? s * Second + (m.Groups["f"] is { Success: true } f ? long.Parse(f.Value.PadRight(9, '0'), CultureInfo.InvariantCulture) : 0) : null;
        }
        catch (ArgumentException) { return null; }
    }

    /// <summary>A length of time: seconds, "1 minute", "2h30m", "0:01:00". Null for what isn't one.</summary>
    public static long? Span(string text)
    {
        text = text.Trim();
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)) return double.IsFinite(seconds) && Math.Abs(seconds) <= 9_000_000_000 ? (long)(seconds * Second) : null;
        var sign = text.StartsWith('-') ? -1 : 1;
        var m = SpanForm().Match(text.TrimStart('-', '+').Trim());
        if (!m.Success || m.Length == 0) return null;
        double Part(string name) => m.Groups[name] is { Success: true } g ? double.Parse(g.ValueSpan, CultureInfo.InvariantCulture) : 0;
        var all = Part("w") * 604800 + Part("d") * 86400 + (Part("h") + Part("ch")) * 3600 + (Part("mi") + Part("cmi")) * 60 + Part("s") + Part("cs");
        return all <= 9_000_000_000 ? sign * (long)(all * Second) : null;
    }

    /// <summary>The same where it must be longer than nothing.</summary>
    /// <exception cref="FormatException">With a text for the client.</exception>
    public static long Positive(string text) => Span(text) switch
    {
        null => throw new FormatException("Unable to parse timespan"),
        <= 0 => throw new FormatException("Timespan must be positive"),
        { } span => span,
    };

    /// <summary>A length as archive policies show it: 0:05:00, 30 days, 0:00:00.</summary>
    public static string ShowSpan(long ns)
    {
        var t = TimeSpan.FromTicks(ns / 100);
        var clock = $"{t.Hours}:{t.Minutes:D2}:{t.Seconds:D2}{(t.Ticks % TimeSpan.TicksPerSecond == 0 ? "" : $".{t.Ticks % TimeSpan.TicksPerSecond / 10:D6}")}";
        return t.Days == 0 ? clock : $"{t.Days} day{(t.Days == 1 ? "" : "s")}, {clock}";
    }

    [GeneratedRegex(@"^(?<y>\d{4})(-(?<mo>\d\d)(-(?<d>\d\d)([T ](?<h>\d\d)(:(?<mi>\d\d)(:(?<s>\d\d)(\.(?<f>\d{1,9})\d*)?)?)?(?<zone>Z|[+-]\d\d:?\d\d)?)?)?)?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex IsoForm();

    [GeneratedRegex(@"^((?<w>\d+(\.\d+)?)\s*w((ee)?ks?)?,?\s*)?((?<d>\d+(\.\d+)?)\s*d(ays?)?,?\s*)?((?<h>\d+(\.\d+)?)\s*h((ou)?rs?)?,?\s*)?((?<mi>\d+(\.\d+)?)\s*m(in(ute)?s?)?,?\s*)?((?<s>\d+(\.\d+)?)\s*s(ec(ond)?s?)?)?(((?<ch>\d{1,9}):)?(?<cmi>\d{1,2}):(?<cs>\d{2}(\.\d+)?))?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex SpanForm();
}
