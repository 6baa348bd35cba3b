namespace Cloud.Demo.Tools;

/// <summary>A network namespace beyond the cloud's provider network: what the rest of the world would see, with two small web servers.</summary>
public sealed class Internet : IAsyncDisposable
{
    public const string Address = "198.51.100.1";
    public const string Range = "198.51.100.0/24";
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(20);

    private readonly string _name;
    private readonly string _outside;
    private readonly List<Background> _servers = [];
    private readonly CancellationToken _stop;

    private Internet(string owner, CancellationToken stop) => (_name, _outside, _stop) = ("cs-internet-" + owner, "csn" + owner, stop);

    public static async Task<Internet> Start(CloudProcess cloud, string pages, CancellationToken stop)
    {
        var net = new Internet(cloud.Owner, stop);
        await net.DisposeAsync(); // of a demo that was killed
        await Ip(stop, "netns", "add", net._name);
        await Ip(stop, "link", "add", net._outside, "type", "veth", "peer", "name", "eth0", "netns", net._name);
        await Ip(stop, "link", "set", net._outside, "master", cloud.PublicBridge, "up");
        await Ip(stop, "-n", net._name, "address", "add", Address + "/24", "dev", "eth0");
        await Ip(stop, "-n", net._name, "link", "set", "lo", "up");
        await Ip(stop, "-n", net._name, "link", "set", "eth0", "up");
        Directory.CreateDirectory(pages);
        await File.WriteAllTextAsync(Path.Combine(pages, "index.html"), "hello from the internet", stop);
        foreach (var port in (string[])["80", "81"])
            net._servers.Add(net.Beside("/usr/bin/python3", "-m", "http.server", port, "--bind", Address, "--directory", pages));
        return net;
    }

    /// <summary>A program out there that runs beside.</summary>
    public Background Beside(string program, params IEnumerable<string> arguments) => new("ip", ["netns", "exec", _name, program, .. arguments]);

    public Task<Ran> Try(TimeSpan patience, string program, params IEnumerable<string> arguments) => Tool.Try("ip", ["netns", "exec", _name, program, .. arguments], patience, _stop);

    /// <summary>Whether a TCP connection comes about within <paramref name="seconds"/>.</summary>
    public async Task<bool> Opens(string address, int port, double seconds = 2) =>
        (await Try(Quick, "socat", "-u", "/dev/null", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"TCP4:{address}:{port},connect-timeout={seconds}"))).Code == 0;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
        _servers.Clear();
        await Tool.Try("ip", ["link", "del", _outside], Quick, CancellationToken.None);
        await Tool.Try("ip", ["netns", "del", _name], Quick, CancellationToken.None);
    }

    private static Task<string> Ip(CancellationToken stop, params string[] arguments) => Tool.Run("ip", arguments, Quick, stop);
}
