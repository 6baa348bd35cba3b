using Cloud.Demo.Tools;

namespace Cloud.Demo.Steps;

/// <summary>Control plane, libvirtd, sidecar and host agent, each a process; and an internet to look at it from.</summary>
internal static class Start
{
    internal static async Task Run(Stage s)
    {
        s.Cloud = new(s.Root, s.Data);
        s.Later("./cloud down", s.Cloud.Down);
        await s.Cloud.Up(s);

        s.Admin = new(new Dictionary<string, string> { ["OS_CLIENT_CONFIG_FILE"] = Path.Combine(s.Data, "clouds.yaml"), ["OS_CLOUD"] = "admin" }, s);
        await s.Until("the openstack command sees one compute host, up", TimeSpan.FromSeconds(30), async () =>
        {
            var hosts = (await s.Admin.Json("compute", "service", "list", "--service", "nova-compute")).EnumerateArray().Select(h => $"{h.GetProperty("Host").GetString()} is {h.GetProperty("State").GetString()}").ToArray();
            return (hosts is ["local is up"], string.Join(", ", hosts));
        });

        s.Internet = await Internet.Start(s.Cloud, Path.Combine(s.Data, "internet"), s.Stop);
        s.Later("the simulated internet", async () => await s.Internet.DisposeAsync());
        await s.Until("the simulated internet has a web server", TimeSpan.FromSeconds(10), async () =>
            await s.Internet.Opens(Internet.Address, 80) ? (true, $"port 80 of {Internet.Address} answers") : (false, $"port 80 of {Internet.Address} is closed"));
        await Prices.Run(s);
        s.Made.RowsBefore = Rows.Read(s.Data);
    }
}
