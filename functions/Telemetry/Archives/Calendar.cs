namespace Cloud.Telemetry;

/// <summary>What points are gathered by anew: spans of a length, or years (Y), halves (H), quarters (Q), months (M) and weeks (W, from Sunday) of the calendar.</summary>
public sealed record Sampling(long? Span, char Calendar)
{
    /// <exception cref="FormatException">With a text for the client.</exception>
    public static Sampling Parse(string text) => text is "Y" or "H" or "Q" or "M" or "W" ? new(null, text[0]) : new(Times.Positive(text), ' ');

    public long GroupOf(long ns)
    {
        if (Span is { } span) return Times.Floor(ns, span);
        var day = Times.At(ns).UtcDateTime.Date;
        var start = Calendar switch
        {
            'Y' => new DateTime(day.Year, 1, 1),
            'H' => new DateTime(day.Year, (day.Month - 1) / 6 * 6 + 1, 1),
            'Q' => new DateTime(day.Year, (day.Month - 1) / 3 * 3 + 1, 1),
            'M' => new DateTime(day.Year, day.Month, 1),
            _ => day.AddDays(-(int)day.DayOfWeek),
        };
        return Times.Of(new DateTimeOffset(start, TimeSpan.Zero));
    }

    /// <summary>Longer than any one group.</summary>
    public long Longest => Span ?? 367 * 86400 * Times.Second;

    public void Write(System.Text.Json.Utf8JsonWriter w)
    {
        if (Span is { } span) Numbers.Write(w, (double)span / Times.Second);
        else w.WriteStringValue(Calendar.ToString());
    }
}
