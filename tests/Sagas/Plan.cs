namespace Cloud.Tests.Sagas;

/// <summary>What goes wrong in one run.</summary>
public sealed record Plan
{
    /// <summary>The process dies at these points: the first counted from the start, each other one from the restart before.</summary>
    public int[] Deaths { get; init; } = [];
    public Break[] Breaks { get; init; } = [];
    public Mishap? Mishap { get; init; }
    /// <summary>A delete of the resource is asked for at this point.</summary>
    public int? DeleteAt { get; init; }

    /// <summary>A call of the store or the bus that doesn't do what it should.</summary>
    public Trip? Trip { get; init; }
    /// <summary>Every message of the queues is delivered a second time, behind those that were sent meanwhile.</summary>
    public bool Echo { get; init; }
    /// <summary>Every command is carried out twice, and its two answers come in the wrong order and one of them twice.</summary>
    public bool Stutter { get; init; }
    public Sight? Sight { get; init; }
    /// <summary>A run that this one is like for a while.</summary>
    public Course? Along { get; init; }

    public override string ToString() => string.Join(", ", (string[])[.. Deaths.Select(d => $"dies at {d}"), .. Breaks.Select(b => $"{b}"), .. Mishap is null ? Array.Empty<string>() : [$"{Mishap}"], .. DeleteAt is null ? Array.Empty<string>() : [$"deleted at {DeleteAt}"], .. Trip is null ? Array.Empty<string>() : [$"{Trip}"], .. Echo ? ["echo"] : Array.Empty<string>(), .. Stutter ? ["stutter"] : Array.Empty<string>(), .. Sight is null ? Array.Empty<string>() : [$"{Sight}"]]);
}

/// <summary>A step or undo that fails.</summary>
/// <param name="Times">As often as this; a refusal needs once.</param>
/// <param name="After">It does what it should before it fails.</param>
/// <param name="Refuses">Fails in a way that isn't worth another try.</param>
public sealed record Break(string Step, bool Undo, int Times, bool After = false, bool Refuses = false);

/// <summary>What all hosts hold at one moment they tell at a later one. A moment is before each round of messages; the last is when all is over.</summary>
public sealed record Sight(int Seen, int Told);

/// <param name="Call">The n-th since the act.</param>
public sealed record Trip(int Call, Failing How);

public enum Failing
{
    /// <summary>Nothing was done.</summary>
    Refused,
    /// <summary>It was done, but the caller hears that nobody knows.</summary>
    Unknown,
    /// <summary>As if somebody else had written.</summary>
    Conflict,
    /// <summary>Nothing was done, nor at the next calls.</summary>
    Throttled,
}

public enum Fate
{
    /// <summary>The host never gets the command.</summary>
    Lost,
    ReplyLost, ReplyTwice,
    /// <summary>The reply comes when all is over.</summary>
    ReplyLate,
    /// <summary>The command comes again when all is over, as it was then; or only then.</summary>
    CommandAgain, CommandLate,
    FailsOnce, Refused,
    /// <summary>The host never gets the command, but another host says that it was done.</summary>
    Forged,
}

/// <summary>What happens to the n-th command that reaches a host.</summary>
public sealed record Mishap(int Command, Fate Fate);
