namespace Cloud.Tests.Simulation;

/// <summary>What befalls hosts and the store as a whole, at times that the seed decides.</summary>
public static class Trouble
{
    public static void Plan(SimCloud cloud, Weather w)
    {
        var wheel = cloud.Wheel;
        int Times(double mean) => (int)(mean * 2 * wheel.Chance.NextDouble() + wheel.Chance.NextDouble());
        double When() => wheel.Chance.NextDouble() * w.Length;

        foreach (var host in cloud.Hosts)
        {
            for (var i = Times(w.HostDeaths); i > 0; i--)
            {
                var (machine, away) = (wheel.Chance.Next(2) == 0, wheel.Skewed(300));
                wheel.In(When(), () =>
                {
                    host.Die(machine);
                    wheel.In(away, host.Start);
                });
            }
            for (var i = Times(w.Cuts); i > 0; i--)
            {
                var away = wheel.Skewed(300);
                wheel.In(When(), () =>
                {
                    cloud.Say($"{host.Name} is cut off");
                    host.Cut = true;
                    wheel.In(away, () => host.Cut = false);
                });
            }
        }
        for (var i = Times(w.GuestsEnd); i > 0; i--) wheel.In(When(), () => wheel.Pick(cloud.Hosts).End());
        for (var i = 0; i < w.Outages; i++)
        {
            var away = wheel.Chance.Next(1, 40);
            wheel.In(When(), () =>
            {
                cloud.Say("the store is out");
                cloud.Out = true;
                wheel.In(away, () => cloud.Out = false);
            });
        }
    }
}
