using System.Net;
using System.Net.Sockets;
using Cloud.Agents.Simulated;

namespace Cloud.Soak;

/// <summary>A cloud of real processes that may be killed one by one, stopped, and started again on the same directory.</summary>
public abstract class Stand : IAsyncDisposable
{
    private readonly int _http = Free();

    protected string Listen => $"127.0.0.1:{_http}";
    public string Url => "http://" + Listen;
    /// <summary>The control plane's directory.</summary>
    public abstract string Data { get; }
    /// <summary>How many processes can be killed.</summary>
    public abstract int Victims { get; }
    /// <summary>What was killed how often.</summary>
    public abstract string Told { get; }

    public abstract Task Start(CancellationToken ct);
    /// <summary>kill -9, and a start after a while.</summary>
    public abstract Task Kill(int victim, TimeSpan away);
    /// <summary>Starts what ended by itself.</summary>
    public abstract Task Look();
    public abstract Task Stop();
    /// <summary>What each host remembers, while all is stopped.</summary>
    public abstract IEnumerable<(string Host, Dictionary<string, Thing> Things)> Held();
    /// <summary>Ends that nobody asked for.</summary>
    public virtual int Crashes => 0;
    /// <summary>Guests that really run, with the ids of their processes.</summary>
    public virtual IReadOnlyDictionary<string, int> Guests() => new Dictionary<string, int>();
    /// <summary>Where what a host remembers isn't what is really there.</summary>
    public virtual Task<IReadOnlyList<string>> Untrue() => Task.FromResult<IReadOnlyList<string>>([]);
    /// <summary>Takes the stand down, after everything was deleted and all is stopped, and says what is left on this machine all the same.</summary>
    public virtual Task<IReadOnlyList<string>> Leftovers() => Task.FromResult<IReadOnlyList<string>>([]);
    public abstract ValueTask DisposeAsync();

    protected static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
