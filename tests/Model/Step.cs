using CsCheck;

namespace Cloud.Tests.Model;

public enum Who { Demo, Ann, Admin }

public enum Sort { Volume, Network, Port, FloatingIp, Image, Server }

public enum Do { Create, Bad, Show, Rename, Delete, List, Limit, Share, Fill, Grow, Stop, Start, Attach, Detach }

/// <summary>One request of somebody. Numbers mean something only when it is made, so that a sequence stays one when parts of it are left out.</summary>
/// <param name="Which">Which of all things of the sort that there ever were; one more is a thing that never was.</param>
/// <param name="With">A size, a limit, the second thing.</param>
/// <param name="Rests">All that was begun comes to its end before the next one.</param>
public sealed record Step(Who Who, Do Do, Sort Sort, int Which, int With, bool Rests)
{
    private static readonly (int, (Do, Sort))[] s_often =
    [
        .. Enum.GetValues<Sort>().SelectMany(s => new[] { (5, (Do.Create, s)), (1, (Do.Bad, s)), (1, (Do.Show, s)), (1, (Do.Rename, s)), (3, (Do.Delete, s)), (1, (Do.List, s)) }),
        .. new[] { Sort.Volume, Sort.Network, Sort.Port, Sort.FloatingIp, Sort.Server }.Select(s => (2, (Do.Limit, s))),
        (2, (Do.Share, Sort.Network)), (2, (Do.Share, Sort.Image)), (2, (Do.Fill, Sort.Image)), (8, (Do.Grow, Sort.Volume)),
        (4, (Do.Stop, Sort.Server)), (3, (Do.Start, Sort.Server)), (8, (Do.Attach, Sort.Server)), (3, (Do.Detach, Sort.Server)),
    ];

    private static readonly Gen<Step> One = Gen.Select(Gen.Enum<Who>(), Gen.FrequencyConst(s_often), Gen.Int[0, 99], Gen.Int[0, 99], Gen.Int[0, 2], (who, what, which, with, rests) => new Step(who, what.Item1, what.Item2, which, with, rests > 0));

    /// <summary>The same sequence for the same seed.</summary>
    public static Step[] Sequence(int seed) => One.Array[1, 40].Generate(new PCG(1, (ulong)seed), null, out _);
}
