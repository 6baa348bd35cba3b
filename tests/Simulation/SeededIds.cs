using System.Globalization;
using Cloud.Platform;

namespace Cloud.Tests.Simulation;

/// <summary>Ids as the real ones, in order of making, but the same ones again.</summary>
public sealed class SeededIds(TimeProvider clock, int seed) : IIds
{
    private long _count;

    public string New()
    {
        var (ms, n) = (clock.GetUtcNow().ToUnixTimeMilliseconds().ToString("x12", CultureInfo.InvariantCulture), ++_count);
        return $"{ms[..8]}-{ms[8..]}-7{(n >> 12) & 0xfff:x3}-8{n & 0xfff:x3}-{seed & 0xffffffff:x12}";
    }
}
