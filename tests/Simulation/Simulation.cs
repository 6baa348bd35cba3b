using Cloud.Platform.Hosting;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Simulation;

/// <summary>What came of a seed.</summary>
/// <param name="Hash">Of all that happened, in order.</param>
/// <param name="Quiet">Virtual seconds from the end of all trouble to the end of all work.</param>
public sealed record Outcome(int Seed, IReadOnlyList<string> Problems, ulong Hash, long Events, double Quiet, int Asked, int Accepted, int Deaths, int GivenUp, IReadOnlyCollection<string> Trace);

/// <summary>
/// One seed: a cloud with all its parts, clients that ask for anything, and trouble of all kinds; then everything is well again,
/// work must end, and the world must fit together.
/// </summary>
public static class Simulation
{
    /// <summary>Work must have ended so long after all trouble: two deadlines of a saga.</summary>
    private const double Patience = 1800;

    public static async Task<Outcome> Run(int seed, Action<string>? listener = null, Func<Weather, Weather>? weather = null)
    {
        var like = await Beginning.Ready;
        var chance = new Random(seed);
        var bad = Weather.Of(chance);
        bad = weather?.Invoke(bad) ?? bad;
        var cloud = new SimCloud(seed, like.Cloud, bad) { Listener = listener };
        try { return await Run(seed, cloud, like, bad); }
        finally
        {
            foreach (var host in cloud.Hosts) host.Dispose();
            cloud.Bus.Dispose();
        }
    }

    private static async Task<Outcome> Run(int seed, SimCloud cloud, Beginning like, Weather bad)
    {
        var wheel = cloud.Wheel;
        cloud.Say($"seed {seed} {bad}");
        foreach (var host in cloud.Hosts) wheel.In(0, host.Start);
        cloud.LookEverywhere();
        wheel.Every(10, () => { foreach (var p in cloud.Processes) p.Renew(); });
        foreach (var timer in Triggers.All(cloud.Slices).OfType<TimerTrigger>()) wheel.Every(timer.Every.TotalSeconds, () => { if (cloud.Free() is { } p) _ = p.Timer(timer); });
        cloud.Now = bad with { Dies = 0, Stalls = 0 };
        wheel.Run(TimeSpan.FromSeconds(3));

        cloud.Now = bad;
        Client[] clients = [new(cloud, "admin", like.Tokens["admin"], like.Ids["admin"]), new(cloud, "demo", like.Tokens["demo"], like.Ids["demo"])];
        for (var i = 0; i < bad.Operations; i++) wheel.In(wheel.Chance.NextDouble() * bad.Length, wheel.Pick(clients).Act);
        Trouble.Plan(cloud, bad);
        wheel.Run(TimeSpan.FromSeconds(bad.Length));

        cloud.Say("all is well again");
        cloud.Now = bad with { Fails = 0, SeemsToFail = 0, Twice = 0, Late = 0, Unsettled = 0, Dies = 0, Stalls = 0, HostFails = 0, HostRefuses = 0, Slow = 0.01 };
        (var healed, cloud.Out) = (wheel.Now, false);
        foreach (var host in cloud.Hosts)
        {
            host.Cut = false;
            host.Start();
        }
        do
        {
            await Operator(cloud);
            wheel.Run(TimeSpan.FromSeconds(5));
        }
        while ((wheel.Now - healed).TotalSeconds < Patience && (Busy(cloud, clients) || cloud.Bus.Dead.Count > 0));
        var quiet = (wheel.Now - healed).TotalSeconds;

        cloud.Calm = true;
        // What kills at the worst moment leave is swept, and hosts tell what they hold several times, so that what they missed is found.
        for (var i = 0; i < 3; i++)
        {
            foreach (var timer in Triggers.All(cloud.Slices).OfType<TimerTrigger>()) wheel.In(i, () => _ = cloud.Free()?.Timer(timer));
            wheel.Run(TimeSpan.FromMinutes(11));
        }
        while ((wheel.Now - healed).TotalSeconds < Patience * 3 && Busy(cloud, clients)) wheel.Run(TimeSpan.FromSeconds(5));
        cloud.Say("the end");
        var problems = await Promises.Check(cloud, like, clients);
        return new(seed, problems, cloud.Hash, wheel.Turns, quiet, clients.Sum(c => c.Answers.Values.Sum()), clients.Sum(c => c.Accepted), cloud.Deaths, cloud.GivenUp, cloud.Trace);
    }

    /// <summary>Somebody sends again what was given up; an alert told of it.</summary>
    private static async Task Operator(SimCloud cloud)
    {
        foreach (var letter in cloud.Bus.Dead)
        {
            cloud.Say($"sent again: {letter.Message.Queue} {letter.Message.Id}");
            await cloud.Bus.Replay(letter.Message.Queue, letter.Message.Id);
            cloud.GivenUp++;
        }
    }

    private static bool Busy(SimCloud cloud, Client[] clients) =>
        clients.Any(c => c.Under > 0) || cloud.Processes.Any(p => !p.Dead && !p.Idle) || cloud.Bus.All.Count > 0 || cloud.Hosts.Any(h => !h.Idle) || cloud.Store.All.Any(r => r.Key.StartsWith("saga|", StringComparison.Ordinal));
}
