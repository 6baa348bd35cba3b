using System.Threading.Channels;

namespace Cloud.Tests.Kit;

/// <summary>
/// Instances of a function app. Each does one thing at a time and ends, killed, after so many; the next ones are started in advance, so that they wait for work
/// and have done none.
/// </summary>
/// <param name="start">One more.</param>
/// <param name="every">Executions until a process is killed.</param>
/// <param name="log">What any of them printed.</param>
public sealed class HandlerPool(Func<Task<HandlerProcess>> start, int every, Action<string> log) : IAsyncDisposable
{
    private const int Ahead = 2, MostStarting = 3;

    private sealed class Instance(HandlerProcess process)
    {
        public HandlerProcess Process => process;
        public int Done { get; set; }
        /// <summary>It was us.</summary>
        public bool Killed { get; set; }
    }

    private readonly Channel<Instance> _ready = Channel.CreateUnbounded<Instance>();
    private readonly HashSet<Instance> _busy = [];
    private readonly HashSet<Task> _ending = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private int _starting, _waiting, _there;

    public int Executions { get; private set; }
    public int Started { get; private set; }
    /// <summary>Those that ended by themselves.</summary>
    public int Crashes { get; private set; }
    public int Working { get { lock (_gate) return _busy.Count; } }

    /// <summary>Has <paramref name="work"/> done by a process that does nothing else meanwhile, and perhaps never did anything.</summary>
    public async Task<T> Run<T>(Func<HandlerProcess, Task<T>> work, CancellationToken ct = default)
    {
        var one = await Take(ct);
        var answered = false;
        try
        {
            var result = await work(one.Process);
            answered = true;
            return result;
        }
        finally { Return(one, answered); }
    }

    /// <summary>Kills one that is at work, if there is any.</summary>
    public bool Kill(int which)
    {
        lock (_gate)
        {
            if (_busy.Count == 0) return false;
            var victim = _busy.ElementAt(which % _busy.Count);
            victim.Killed = true;
            victim.Process.Kill();
            return true;
        }
    }

    private async Task<Instance> Take(CancellationToken ct)
    {
        using var any = CancellationTokenSource.CreateLinkedTokenSource(ct, _closed.Token);
        lock (_gate) _waiting++;
        try
        {
            while (true)
            {
                StartMore();
                var one = await _ready.Reader.ReadAsync(any.Token);
                lock (_gate)
                {
                    _there--;
                    if (!one.Process.HasExited)
                    {
                        _busy.Add(one);
                        Executions++;
                        return one;
                    }
                }
                End(one);
            }
        }
        finally
        {
            lock (_gate) _waiting--;
            StartMore();
        }
    }

    private void Return(Instance one, bool answered)
    {
        lock (_gate)
        {
            _busy.Remove(one);
            if (answered && ++one.Done < every && !one.Killed && !one.Process.HasExited && !_closed.IsCancellationRequested)
            {
                _there++;
                _ready.Writer.TryWrite(one);
                return;
            }
        }
        End(one, answered);
    }

    private void StartMore()
    {
        lock (_gate)
            for (; !_closed.IsCancellationRequested && _starting < MostStarting && _there + _starting < _waiting + Ahead; _starting++) Follow(Task.Run(StartOne));
    }

    private async Task StartOne()
    {
        try
        {
            var process = await start();
            lock (_gate)
            {
                (Started, _there) = (Started + 1, _there + 1);
                _ready.Writer.TryWrite(new(process));
            }
        }
        catch (InvalidOperationException e)
        {
            log(e.Message);
            await Task.Delay(200);
        }
        lock (_gate) _starting--;
        StartMore();
    }

    /// <param name="answered">False when it may be gone, which shows a moment later than its broken connection.</param>
    private void End(Instance one, bool answered = true)
    {
        Follow(Task.Run(async () =>
        {
            for (var i = 0; !answered && i < 50 && !one.Killed && !one.Process.HasExited; i++) await Task.Delay(20);
            lock (_gate)
            {
                if (one.Process.HasExited && !one.Killed) Crashes++;
                one.Killed = true;
            }
            one.Process.Kill();
            var (_, said) = await one.Process.Stop();
            if (said.Length > 0) log(said);
            await one.Process.DisposeAsync();
        }));
    }

    private void Follow(Task task)
    {
        lock (_gate) _ending.Add(task);
        _ = task.ContinueWith(t => { lock (_gate) _ending.Remove(t); }, TaskScheduler.Default);
    }

    /// <summary>When nothing is at work any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        for (Task[] left; (left = Ending()).Length > 0;) await Task.WhenAll(left);
        while (_ready.Reader.TryRead(out var one)) End(one);
        for (Task[] left; (left = Ending()).Length > 0;) await Task.WhenAll(left);
        _closed.Dispose();
    }

    private Task[] Ending() { lock (_gate) return [.. _ending]; }
}
