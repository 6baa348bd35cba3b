using Cloud.Platform.Bus;

namespace Cloud.Platform.Local;

/// <summary><see cref="IBus"/> in the store's file. Messages are on disk before a send returns; settling follows with the next write, for a message may always come twice.</summary>
public sealed class SqliteBus : IBus, IQueueJournal, IDisposable
{
    // More writes than one process ever does.
    private const long TagsPerStart = 1_000_000_000_000;
    private readonly SqliteFile _file;
    private readonly QueueEngine _engine;
    private long _tag;

    public SqliteBus(SqliteFile file, TimeProvider clock)
    {
        (_file, _engine) = (file, new(clock, this));
        file.Read(s =>
        {
            using (var m = s.Query("SELECT seq, queue, id, session, due, attempts, body FROM messages ORDER BY seq"))
                while (m.Next())
                    _engine.Add(m.Number(0), new(m.Text(1), m.Text(2), m.Bytes(6), m.IsNull(3) ? null : m.Text(3), m.IsNull(4) ? null : new DateTimeOffset(m.Number(4), TimeSpan.Zero)), (int)m.Number(5));
            using (var d = s.Query("SELECT queue, id, session, attempts, reason, at, body FROM dead"))
                while (d.Next())
                    _engine.AddDead(new(new(d.Text(0), d.Text(1), d.Bytes(6), d.IsNull(2) ? null : d.Text(2)), (int)d.Number(3), d.Text(4), new DateTimeOffset(d.Number(5), TimeSpan.Zero)));
            _tag = Math.Max(clock.GetUtcNow().UtcTicks, s.Number("SELECT last FROM etags") ?? s.Number("SELECT max(etag) FROM rows") ?? 0);
            return 0;
        });
        // Whatever it will give out is on disk as given out before the first is: looking for the highest there is would be a look at every row.
        file.Do(new Taken(_tag + TagsPerStart)).GetAwaiter().GetResult();
    }

    /// <summary>ETags grow over all rows and starts, so that a row deleted and made again never has an old one.</summary>
    internal long NextTag() => ++_tag;

    private sealed class Taken(long last) : SqliteFile.Write
    {
        public override void Apply(SqliteSession s) => s.Execute("INSERT OR REPLACE INTO etags(one, last) VALUES(1, ?1)", last);
    }

    public ValueTask Send(IReadOnlyList<Message> messages, CancellationToken ct = default) => new(_file.Do(new Sending(this, messages)));

    public ValueTask<IReadOnlyList<Delivery>> Receive(string queue, int max, TimeSpan lockFor, TimeSpan wait, CancellationToken ct = default) => _engine.Receive(queue, max, lockFor, wait, ct);
    public ValueTask<bool> Complete(Delivery delivery, CancellationToken ct = default) => new(_engine.Complete(delivery));
    public ValueTask<bool> Abandon(Delivery delivery, TimeSpan delay, CancellationToken ct = default) => new(_engine.Abandon(delivery, delay));
    public ValueTask<bool> Reject(Delivery delivery, string reason, CancellationToken ct = default) => new(_engine.Reject(delivery, reason));
    public ValueTask<bool> Renew(Delivery delivery, TimeSpan lockFor, CancellationToken ct = default) => new(_engine.Renew(delivery, lockFor));
    public ValueTask<IReadOnlyList<DeadLetter>> DeadLetters(string queue, int max, CancellationToken ct = default) => new(_engine.DeadLetters(queue, max));
    public ValueTask<IReadOnlyDictionary<string, int>> Depths(CancellationToken ct = default) => new(_engine.Depths());

    public async ValueTask<bool> Replay(string queue, string messageId, CancellationToken ct = default)
    {
        if (_engine.TakeDead(queue, messageId) is not { } letter) return false;
        await _file.Do(new Sending(this, [letter.Message], revived: true));
        return true;
    }

    void IQueueJournal.Removed(long sequence) => _file.Later(s => s.Execute("DELETE FROM messages WHERE seq=?1", sequence));

    void IQueueJournal.Delayed(long sequence, int attempts, DateTimeOffset? notBefore) =>
        _file.Later(s => s.Execute("UPDATE messages SET attempts=?2, due=?3 WHERE seq=?1", sequence, (long)attempts, notBefore?.UtcTicks));

    void IQueueJournal.Died(long sequence, DeadLetter d) => _file.Later(s =>
    {
        s.Execute("DELETE FROM messages WHERE seq=?1", sequence);
        s.Execute("INSERT OR REPLACE INTO dead(queue, id, session, attempts, reason, at, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            d.Message.Queue, d.Message.Id, d.Message.Session, (long)d.Attempts, d.Reason, d.At.UtcTicks, d.Message.Body);
    });

    public void Dispose() => _engine.Dispose();

    /// <summary>Adds messages within a write; they become visible when it is on disk.</summary>
    /// <param name="revived">They were dead letters until now.</param>
    internal sealed class Sending(SqliteBus bus, IReadOnlyList<Message> messages, bool revived = false) : SqliteFile.Write
    {
        private readonly List<(long, Message)> _added = [];

        public override void Apply(SqliteSession s)
        {
            _added.Clear();
            foreach (var m in messages)
            {
                if (revived) s.Execute("DELETE FROM dead WHERE queue=?1 AND id=?2", m.Queue, m.Id);
                if (s.Number("INSERT INTO messages(queue, id, session, due, body) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING RETURNING seq",
                        m.Queue, m.Id, m.Session, m.NotBefore?.UtcTicks, m.Body) is { } sequence)
                    _added.Add((sequence, m));
            }
        }

        public override void Durable()
        {
            foreach (var (sequence, message) in _added) bus._engine.Add(sequence, message);
        }
    }
}
