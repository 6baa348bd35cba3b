using System.Globalization;

namespace Cloud.Platform.Rest;

/// <summary>An API (micro)version, ordered: 2.9 comes before 2.10.</summary>
public readonly record struct ApiVersion(int Major, int Minor) : IComparable<ApiVersion>
{
    public static ApiVersion Parse(string text) => TryParse(text, out var v) ? v : throw new FormatException($"'{text}' is not a version");

    public static bool TryParse(string text, out ApiVersion version)
    {
        version = default;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 1 || !int.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            || !int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var minor)) return false;
        version = new(major, minor);
        return true;
    }

    public int CompareTo(ApiVersion other) => Major != other.Major ? Major.CompareTo(other.Major) : Minor.CompareTo(other.Minor);
    public static bool operator <(ApiVersion a, ApiVersion b) => a.CompareTo(b) < 0;
    public static bool operator >(ApiVersion a, ApiVersion b) => a.CompareTo(b) > 0;
    public static bool operator <=(ApiVersion a, ApiVersion b) => a.CompareTo(b) <= 0;
    public static bool operator >=(ApiVersion a, ApiVersion b) => a.CompareTo(b) >= 0;
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}

/// <summary>Microversions of a service: range, and the headers that ask for one.</summary>
/// <param name="Service">The word in <c>OpenStack-API-Version: SERVICE 2.93</c>.</param>
/// <param name="LegacyHeader">An older header with the bare number, or null.</param>
public sealed record Microversions(string Service, ApiVersion Min, ApiVersion Max, string? LegacyHeader = null)
{
    /// <summary>What the request asks for; <see cref="Min"/> when it is silent.</summary>
    /// <exception cref="Fault">400 when malformed, 406 when out of range.</exception>
    public ApiVersion Negotiate(Func<string, string?> header)
    {
        string? asked = null;
        foreach (var part in header("OpenStack-API-Version")?.Split(',', StringSplitOptions.TrimEntries) ?? [])
            if (part.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var service, var v] && service.Equals(Service, StringComparison.OrdinalIgnoreCase)) asked = v;
        asked ??= LegacyHeader is null ? null : header(LegacyHeader);
        if (asked is null) return Min;
        if (asked == "latest") return Max;
        if (!ApiVersion.TryParse(asked, out var version)) throw new Fault(400, $"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum.") { Kind = "InvalidAPIVersionString" };
        return version >= Min && version <= Max ? version
            : throw new Fault(406, $"Version {asked} is not supported by the API. Minimum is {Min} and maximum is {Max}.") { Kind = "InvalidGlobalAPIVersion" };
    }
}
