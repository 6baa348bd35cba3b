using System.Globalization;

namespace Cloud.Platform;

/// <summary>Where ids come from. The only other source of chance is <see cref="System.Security.Cryptography.RandomNumberGenerator"/> for secrets.</summary>
public interface IIds
{
    /// <summary>A new UUID whose text sorts by time of making (version 7), so that key order is creation order.</summary>
    string New();
    /// <summary>The same without dashes.</summary>
    string Plain() => New().Replace("-", "", StringComparison.Ordinal);
}

public sealed class TimeOrderedIds(TimeProvider clock) : IIds
{
    public string New() => Guid.CreateVersion7(clock.GetUtcNow()).ToString();

    /// <summary>When an id was made; null for what isn't one.</summary>
    public static DateTimeOffset? MadeAt(string id) =>
        Guid.TryParseExact(id, "D", out _) && long.TryParse(id[..8] + id[9..13], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var ms) ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
