namespace Cloud.Tests.Kit;

/// <summary>Files as they were after some of the acts: all that was done, or what a loss of power leaves of it.</summary>
public sealed class PastDisk
{
    private const int Sector = 512;

    /// <summary>Bytes that grow; null length: there is no file.</summary>
    private struct Content
    {
        private byte[] _bytes;
        private int _length;

        public readonly bool Is => _bytes is not null;
        public readonly byte[] Copy() => _bytes.AsSpan(0, _length).ToArray();
        public readonly Content Copied() => Is ? new() { _bytes = Copy(), _length = _length } : default;

        public void Do(Act act)
        {
            if (act.What is Done.Delete) { this = default; return; }
            var length = act.What is Done.Truncate ? (int)act.At : Math.Max(_length, (int)act.At + act.Bytes.Length);
            if (_bytes is null || length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(length, 2 * (_bytes?.Length ?? 0)));
            if (length < _length) Array.Clear(_bytes, length, _length - length);
            act.Bytes.CopyTo(_bytes, act.At);
            _length = length;
        }
    }

    /// <summary>What was written, what of it is certain to stay, and what was done since.</summary>
    private sealed class Past
    {
        public Content Now, Kept;
        public readonly List<Act> Since = [];
    }

    private readonly Dictionary<string, Past> _files = [];

    public void Do(Act act)
    {
        if (act.What is Done.Note) return;
        if (!_files.TryGetValue(act.File, out var file)) _files[act.File] = file = new();
        if (act.What is Done.Sync)
        {
            // With the first sync of a new file SQLite syncs the directory: what was deleted is gone for good.
            if (!file.Kept.Is)
                foreach (var gone in _files.Values.Where(f => f.Since.Exists(a => a.What is Done.Delete)))
                {
                    gone.Kept = default;
                    gone.Since.RemoveRange(0, gone.Since.FindLastIndex(a => a.What is Done.Delete) + 1);
                }
            file.Since.ForEach(a => file.Kept.Do(a));
            file.Since.Clear();
            return;
        }
        file.Now.Do(act);
        file.Since.Add(act);
    }

    /// <summary>As a killed process leaves them: the kernel has all that was written.</summary>
    public IEnumerable<(string Name, byte[] Bytes)> Killed => _files.Where(f => f.Value.Now.Is).Select(f => (f.Key, f.Value.Now.Copy()));

    /// <summary>
    /// As a loss of power leaves them: what was synced is there; of the rest any sectors are. With a <paramref name="share"/> of 0 none, with 1 all up to some moment.
    /// </summary>
    public IEnumerable<(string Name, byte[] Bytes)> Lost(Random chance, double share)
    {
        foreach (var (name, file) in _files)
        {
            var content = file.Kept.Copied();
            foreach (var act in share >= 1 ? file.Since.Take(chance.Next(file.Since.Count + 1)) : file.Since)
                // What was written after a deletion is another file.
                if (act.What is Done.Delete && chance.NextDouble() >= share) break;
                else if (act.What is Done.Truncate or Done.Delete)
                {
                    if (act.What is Done.Delete || chance.NextDouble() < share) content.Do(act);
                }
                else
                    for (var at = 0; at < act.Bytes.Length;)
                    {
                        // A sector is written or not.
                        var length = Math.Min(act.Bytes.Length - at, Sector - (int)((act.At + at) % Sector));
                        if (chance.NextDouble() < share) content.Do(act with { At = act.At + at, Bytes = act.Bytes[at..(at + length)] });
                        at += length;
                    }
            if (content.Is) yield return (name, content.Copy());
        }
    }
}
