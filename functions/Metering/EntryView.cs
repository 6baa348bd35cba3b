using System.Globalization;
using System.Text.Json;

namespace Cloud.Metering;

/// <summary>An interval as the API and events show it. Times to the millisecond; <paramref name="Seconds"/> up to now for one that goes on.</summary>
public sealed record EntryView(string Id, string ProjectId, string Resource, string Kind, string Meter, long Quantity, string From, string? To, decimal Seconds, string OpenedBy, string? ClosedBy, bool Final)
{
    public static readonly JsonSerializerOptions Wire = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static EntryView Of(Entry e, DateTimeOffset now)
    {
        var (i, parts) = (e.Interval, e.Resource.Split('|', 2));
        return new(e.Id, e.Project, parts[1], parts[0], i.Meter, i.Quantity, Time(i.From), i.To is { } to ? Time(to) : null, Usage.Milliseconds(i, i.From, i.To ?? now) / 1000m, i.OpenedBy, i.ClosedBy, i.Final);
    }

    public static string Time(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
