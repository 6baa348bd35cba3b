using Cloud.Agents.Contract;
using Cloud.Platform.State;
using Cloud.Tests.Kit;

namespace Cloud.Tests.Sagas;

/// <summary>
/// How a run went, with the whole world kept as it was before each round of messages. Runs that are to differ from it only later begin there, each in a copy and as a process that
/// has just started; what came before is not done again.
/// </summary>
public sealed class Course
{
    private readonly List<Mark> _marks = [];

    public void Add(Mark mark) => _marks.Add(mark);

    /// <summary>The latest mark up to which a plan is this course; null when it is none.</summary>
    public Mark? Before(Plan plan) => plan.Trip is not null || plan.Echo || plan.Stutter ? null : _marks.FindLast(m => plan.Sight is { } sight ? m.Moment <= sight.Told : Same(m, plan));

    /// <summary>What hosts held at a moment.</summary>
    public IReadOnlyList<Inventory> Sights(int moment) => [.. _marks[moment].Stage.Cloud.Hosts.Select(h => h.Inventory() with { At = _marks[moment].Stage.Cloud.Clock.GetUtcNow() })];

    /// <summary>Rows that all who begin here share are read once.</summary>
    public void End(RowMemory ready)
    {
        var rows = new HashSet<Row>(ReferenceEqualityComparer.Instance);
        foreach (var mark in _marks) rows.UnionWith(mark.Stage.Cloud.Store.All.Where(r => !ready.Knows(r)));
        var memory = new RowMemory(rows, ready);
        foreach (var mark in _marks) mark.Stage.Cloud.Remember(memory);
    }

    private bool Same(Mark m, Plan plan) =>
        (plan.Deaths.Length == 0 || m.Seen <= plan.Deaths[0])
        // A deletion comes at the first point after the act, if not later.
        && (plan.DeleteAt is not { } at || m.Seen <= at || ReferenceEquals(m, _marks[0]))
        && (plan.Mishap is not { } mishap || m.Commands <= mishap.Command)
        && !plan.Breaks.Any(b => m.Ran.Contains((b.Step, b.Undo)));
}

/// <summary>One moment of a course.</summary>
/// <param name="Ran">Steps and undos that have been called.</param>
/// <param name="Left">What is left of the breaks of the course's own plan.</param>
public sealed record Mark(Stage Stage, Answer Answer, Answer? Deleted, int Leg, int Moment, int Seen, int Commands, int Told, int Heard, string Held, IReadOnlySet<(string, bool)> Ran, Break[] Breaks, int[] Left, IReadOnlyList<string> Trace);
