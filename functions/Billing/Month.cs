using System.Globalization;

namespace Cloud.Billing;

/// <summary>A calendar month in UTC: what is billed at once.</summary>
public readonly record struct Month(int Year, int Number) : IComparable<Month>
{
    public DateTimeOffset Begin => new(Year, Number, 1, 0, 0, 0, TimeSpan.Zero);
    public DateTimeOffset End => Begin.AddMonths(1);
    /// <summary>2030-01.</summary>
    public string Name => Begin.ToString("yyyy-MM", CultureInfo.InvariantCulture);
    public Month Add(int months) => Of(Begin.AddMonths(months));

    public static Month Of(DateTimeOffset t) => new(t.UtcDateTime.Year, t.UtcDateTime.Month);

    /// <summary>Null for what isn't one.</summary>
    public static Month? Parse(string text) =>
        text.Length == 7 && DateTimeOffset.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) && t.Year is >= 1971 and <= 9000 ? Of(t) : null;

    public int CompareTo(Month other) => Begin.CompareTo(other.Begin);
    public static bool operator <(Month a, Month b) => a.CompareTo(b) < 0;
    public static bool operator >(Month a, Month b) => a.CompareTo(b) > 0;
    public static bool operator <=(Month a, Month b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Month a, Month b) => a.CompareTo(b) >= 0;
}
