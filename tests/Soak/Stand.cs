using Cloud.Agents.Simulated;
using Cloud.Platform.Local;
using Cloud.Tests.Kit;

namespace Cloud.Soak;

/// <summary>A cloud of real processes that may be killed one by one, stopped, and started again on the same directory.</summary>
public abstract class Stand : IAsyncDisposable
{
    private readonly int _http = FreePorts.One();

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
    /// <summary>How long what was accepted may take to its end.</summary>
    public virtual TimeSpan Patience => TimeSpan.FromMinutes(2);
    /// <summary>No message is under way but those that hosts send by themselves.</summary>
    public virtual async Task<bool> Quiet(Api api) =>
        await api.Get("/ops/v1/queues") is { } q && q.GetProperty("queues").EnumerateArray().All(x => x.GetProperty("name").GetString() == "replies" || x.GetProperty("messages").GetInt32() == 0);
    /// <summary>What is kept, while all is stopped.</summary>
    public virtual async Task<Remains> Left()
    {
        using var state = LocalState.Open(Path.Combine(Data, "state.db"), TimeProvider.System);
        return await Remains.Of(state.Store, state.Bus, Held().Select(h => h.Host), (await state.Bus.Depths()).Keys);
    }
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
}
