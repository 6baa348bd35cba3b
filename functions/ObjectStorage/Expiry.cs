using System.Globalization;
using Cloud.Platform.Rest;

namespace Cloud.ObjectStorage;

/// <summary>X-Delete-At and X-Delete-After.</summary>
internal static class Expiry
{
    /// <exception cref="Fault">400 for what is no time to come.</exception>
    public static DateTimeOffset? Read(Call c)
    {
        if (c.Header("X-Delete-After") is { Length: > 0 } after)
            return long.TryParse(after, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) && seconds > 0 && seconds < uint.MaxValue ? c.Now.AddSeconds(seconds) : throw Fault.BadRequest(Bad("X-Delete-After", after));
        if (c.Header("X-Delete-At") is not { Length: > 0 } at) return null;
        if (!long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var stamp) || stamp > 253_402_300_799) throw Fault.BadRequest("Non-integer X-Delete-At");
        return DateTimeOffset.FromUnixTimeSeconds(stamp) is var time && time > c.Now ? time : throw Fault.BadRequest("X-Delete-At in past");
    }

    private static string Bad(string header, string value) => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? header + " in past" : "Non-integer " + header;
}
