using System.Numerics;

namespace Cloud.Billing;

/// <summary>What a price is for one of.</summary>
/// <param name="Base">What the meters it fits are counted in: count-milliseconds, byte-milliseconds or bytes.</param>
/// <param name="Divisor">So many of the base are one unit.</param>
public sealed record Unit(string Name, string Base, long Divisor)
{
    private const long Hour = 3_600_000, Gib = 1L << 30;

    public static readonly IReadOnlyList<Unit> All =
    [
        new("second", "count", 1_000), new("hour", "count", Hour), new("GiB-second", "space", Gib * 1_000), new("GiB-hour", "space", Gib * Hour), new("GB", "bytes", 1_000_000_000), new("GiB", "bytes", Gib),
    ];

    public static Unit? Named(string name) => All.FirstOrDefault(u => u.Name == name);

    /// <summary>The base of a meter, from what its sums are told in, and how many of the base one millisecond of quantity 1 (or an amount of 1) is.</summary>
    public static (string Base, long Factor) Of(string told) => told switch { "GiB-seconds" => ("space", Gib), "byte-seconds" => ("space", 1), "bytes" => ("bytes", 1), _ => ("count", 1) };

    /// <summary>The units that a meter may be priced by.</summary>
    public static IEnumerable<string> Fitting(string told) => All.Where(u => u.Base == Of(told).Base).Select(u => u.Name);

    /// <summary>As a number to read, to six places; what is charged is computed from the base.</summary>
    public decimal Shown(BigInteger amount) => Money.Round(amount, Divisor, 6);
}
