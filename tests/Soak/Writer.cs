using System.Collections.Concurrent;
using System.Net;

namespace Cloud.Soak;

/// <summary>Somebody who keeps objects in the cloud and reads them again: what was taken is there as it was, whatever happened to the disk.</summary>
public sealed class Writer(Api api, int seed, CancellationToken stop)
{
    private const int Bytes = 48 << 10, Kept = 40;

    private readonly ConcurrentQueue<(string Path, byte[] Content)> _kept = new();
    private readonly Random _chance = new(seed);
    private string _container = "";

    public int Written { get; private set; }

    public async Task Run()
    {
        _container = $"/object-store/v1/AUTH_{api.Project}/soak";
        while (!stop.IsCancellationRequested && !await Put(_container, [])) { }
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            var (path, content) = ($"{_container}/{n}", new byte[Bytes]);
            _chance.NextBytes(content);
            if (await Put(path, content))
            {
                Written++;
                _kept.Enqueue((path, content));
            }
            if (_kept.Count > Kept && _kept.TryDequeue(out var old)) await api.Ask(HttpMethod.Delete, old.Path, null);
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>What is not as it was written.</summary>
    public async Task<IReadOnlyList<string>> Lost()
    {
        var lost = new List<string>();
        foreach (var (path, content) in _kept)
            if (await api.Bytes(path) is not { } there || !there.AsSpan().SequenceEqual(content)) lost.Add($"object {path} was written and is another or gone");
        return lost;
    }

    public async Task DeleteAll()
    {
        while (_kept.TryDequeue(out var one)) await api.Ask(HttpMethod.Delete, one.Path, null);
    }

    private async Task<bool> Put(string path, byte[] content) => await api.Put(path, content) is { } status && (int)status < 300;
}
