using System.Collections.Concurrent;
using Cloud.Platform.State;

namespace Cloud.Tests.Kit;

/// <summary>
/// What was read of the rows that a cloud had when it was copied, once for all its copies: they share those rows. Rows that were written later are read each time; to remember
/// those by weak references costs the garbage collector more than reading them does.
/// </summary>
/// <param name="more">Where other rows are known.</param>
public sealed class RowMemory(IEnumerable<Row> rows, RowMemory? more = null)
{
    private readonly HashSet<Row> _rows = new(rows, ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<(Type, Row), object> _read = new(new ByReference());

    public bool Knows(Row row) => _rows.Contains(row) || more?.Knows(row) == true;

    public T Get<T>(Row row, Func<Row, T> read) where T : class
    {
        if (!_rows.Contains(row)) return more is null ? read(row) : more.Get(row, read);
        if (_read.TryGetValue((typeof(T), row), out var known)) return (T)known;
        var now = read(row);
        _read[(typeof(T), row)] = now;
        return now;
    }

    private sealed class ByReference : IEqualityComparer<(Type, Row)>
    {
        public bool Equals((Type, Row) x, (Type, Row) y) => ReferenceEquals(x.Item2, y.Item2) && x.Item1 == y.Item1;
        public int GetHashCode((Type, Row) x) => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(x.Item2);
    }
}
