using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Cloud.Tests.Sagas;

namespace Cloud.Tests.Museum;

/// <summary>A process that stands still between reading a saga and reading its server.</summary>
internal sealed class Standing(int nth)
{
    private string _before = "";
    private int _loads;

    public bool Stood { get; private set; }

    /// <param name="meanwhile">What others do before the <paramref name="nth"/> of these readings goes on.</param>
    public IEntityStore At(MemoryStore store, Action meanwhile) => new MutantStore(store, (inner, partition, ops, messages) => inner.Commit(partition, ops, messages), (_, key) =>
    {
        var load = _before.StartsWith("saga|", StringComparison.Ordinal) && key.StartsWith("server|", StringComparison.Ordinal);
        _before = key;
        if (!load || ++_loads != nth) return false;
        Stood = true;
        meanwhile();
        return false;
    });
}
