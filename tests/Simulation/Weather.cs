namespace Cloud.Tests.Simulation;

/// <summary>How bad it is. Each seed has its own mixture, and many kinds of trouble are absent from many, for trouble of one kind can hide that of another.</summary>
public sealed record Weather
{
    public required int Hosts { get; init; }
    public required int Operations { get; init; }
    /// <summary>Seconds over which operations come.</summary>
    public required double Length { get; init; }
    /// <summary>Shares of calls of the store and of sends: that fail, and that work but seem to fail.</summary>
    public double Fails { get; init; }
    public double SeemsToFail { get; init; }
    /// <summary>Shares of messages: that come twice, that come late (out of order), whose settling is lost.</summary>
    public double Twice { get; init; }
    public double Late { get; init; }
    public double Unsettled { get; init; }
    /// <summary>Deaths of a control plane process, per call of the store.</summary>
    public double Dies { get; init; }
    /// <summary>A process stands still for longer than its locks hold and then goes on, as if nothing had been.</summary>
    public double Stalls { get; init; }
    /// <summary>Of commands at hosts.</summary>
    public double HostFails { get; init; }
    public double HostRefuses { get; init; }
    /// <summary>Per host: deaths, restarts and cuts from the control plane in all the time.</summary>
    public double HostDeaths { get; init; }
    public double Cuts { get; init; }
    /// <summary>Seconds by which clocks of hosts are wrong.</summary>
    public double Skew { get; init; }
    /// <summary>Guests that switch themselves off, in all the time.</summary>
    public double GuestsEnd { get; init; }
    /// <summary>Times at which the store answers nobody for a while.</summary>
    public int Outages { get; init; }
    /// <summary>Seconds an await takes at most.</summary>
    public double Slow { get; init; }

    public static Weather Of(Random chance)
    {
        double Some(double most) => chance.Next(3) == 0 ? 0 : most * chance.NextDouble();
        return new()
        {
            Hosts = chance.Next(12) == 0 ? chance.Next(10, 51) : chance.Next(3, 7), Operations = chance.Next(20, 70), Length = chance.Next(4) == 0 ? 900 : chance.Next(20, 240),
            Fails = Some(0.03), SeemsToFail = Some(0.02), Twice = Some(0.3), Late = Some(0.3), Unsettled = Some(0.1), Dies = Some(0.006), Stalls = Some(0.001),
            HostFails = Some(0.2), HostRefuses = Some(0.03), HostDeaths = Some(2), Cuts = Some(2), Skew = Some(3600), GuestsEnd = Some(5), Outages = chance.Next(4) == 0 ? chance.Next(1, 3) : 0, Slow = chance.Next(2) == 0 ? 0.05 : 2,
        };
    }
}
