using System.Net;
using System.Text.Json.Nodes;
using Cloud.Platform.Bus;

namespace Cloud.Tests.Kit;

/// <summary>The Functions host's listeners: what comes out of a queue that has a function is posted to an instance, sessions one message at a time, and each timer at its time.</summary>
/// <param name="queues">The broker, as the host reads it.</param>
public sealed class FunctionsPumps(FunctionList functions, HandlerPool pool, IBus queues, Action<string> log) : IAsyncDisposable
{
    private const int AtOnce = 4;
    private static readonly TimeSpan LockFor = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _slots = new(AtOnce);
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<string> _ticking = [];
    private readonly List<Task> _loops = [];
    private int _inHand;

    /// <summary>Messages that were failed and given back.</summary>
    public int Failures { get; private set; }

    public void Start()
    {
        foreach (var f in functions.Queues) _loops.Add(Task.Run(() => Pump(f)));
        _loops.Add(Task.Run(Clock));
    }

    private async Task Pump(FunctionList.Function f)
    {
        try
        {
            while (true)
            {
                await _slots.WaitAsync(_stop.Token);
                _slots.Release();
                foreach (var d in await queues.Receive(f.Queue, AtOnce, LockFor, TimeSpan.FromMinutes(5), _stop.Token))
                {
                    await _slots.WaitAsync(_stop.Token);
                    Interlocked.Increment(ref _inHand);
                    _ = One(f, d);
                }
            }
        }
        catch (OperationCanceledException) { /* stopping: what was lent and not begun is the broker's again */ }
    }

    private async Task One(FunctionList.Function f, Delivery d)
    {
        try
        {
            var done = await Invoke(f.Name, FunctionList.Payload(f, d));
            if (!done) Failures++;
            _ = done ? await queues.Complete(d) : await queues.Abandon(d, TimeSpan.Zero);
        }
        catch (Exception e) when (e is Platform.State.StoreUnavailableException or ObjectDisposedException) { log($"{f.Name}: {e.Message}"); } // given out again
        finally
        {
            Interlocked.Decrement(ref _inHand);
            _slots.Release();
        }
    }

    /// <summary>What is begun is brought to its end also when we stop.</summary>
    private async Task<bool> Invoke(string function, JsonObject payload)
    {
        try { return await pool.Run(handler => handler.Invoke(function, payload)) == HttpStatusCode.OK; }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            log($"{function}: {e.Message}");
            return false;
        }
    }

    private async Task Clock()
    {
        using var seconds = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var last = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        try
        {
            while (await seconds.WaitForNextTickAsync(_stop.Token))
                for (var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(); last < now;)
                {
                    last++;
                    foreach (var f in functions.Timers)
                        if (Schedule.Has(f.Trigger.GetProperty("schedule").GetString()!, DateTimeOffset.FromUnixTimeSeconds(last))) _ = Tick(f.Name);
                }
        }
        catch (OperationCanceledException) { /* stopping */ }
    }

    /// <summary>Never twice at once.</summary>
    private async Task Tick(string timer)
    {
        lock (_ticking)
            if (!_ticking.Add(timer)) return;
        Interlocked.Increment(ref _inHand);
        try { await Invoke(timer, FunctionList.Tick(timer)); }
        finally
        {
            Interlocked.Decrement(ref _inHand);
            lock (_ticking) _ticking.Remove(timer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        while (Volatile.Read(ref _inHand) > 0) await Task.Delay(20);
        _stop.Dispose();
        _slots.Dispose();
    }
}
