namespace Cloud.Events.Webhooks;

/// <summary>One event to be sent.</summary>
/// <param name="Number">In the webhook's log.</param>
/// <param name="Late">It was put off before.</param>
/// <param name="Again">Somebody asked for it once more.</param>
internal sealed record Parcel(long Number, LogEntry Entry, bool Late = false, bool Again = false)
{
    public string Subject { get; } = Entry.Event!.Value.GetProperty("subject").GetString()!;
    public string Type { get; } = Entry.Event!.Value.GetProperty("type").GetString()!;
}

/// <summary>What came of an attempt.</summary>
internal enum Verdict
{
    Delivered,
    /// <summary>The receiver is there and doesn't want this event.</summary>
    Refused,
    /// <summary>The receiver isn't there, or has no time.</summary>
    Absent,
    /// <summary>410: it wants nothing any more.</summary>
    Gone,
}

/// <param name="Error">Never what the receiver said, nor why there was no answer: it would tell about networks.</param>
internal sealed record Attempt(Parcel Parcel, Verdict Verdict, int Status, string Error, DateTimeOffset At, TimeSpan Took);

/// <summary>Events of one resource, in order. One that fails keeps back those after it.</summary>
/// <param name="Stuck">What is known of the failure of its first, if it failed before.</param>
/// <param name="Whole">All that was put off of the resource is in it.</param>
internal sealed record Chain(string Subject, IReadOnlyList<Parcel> Parcels, Stuck? Stuck, bool Whole)
{
    public List<Attempt> Attempts { get; } = [];
}
