using Cloud.Platform;
using Cloud.Platform.Net;

namespace Cloud.Events.Webhooks;

/// <summary>Sends events: those of one resource one after the other, of several at the same time.</summary>
internal sealed class Courier(Services s, Webhook hook)
{
    private const int AtOnce = 16;
    /// <summary>After an outage so many resources are tried, one after the other: one event that the receiver chokes on is no outage.</summary>
    private const int Probes = 3;

    public async Task Send(IReadOnlyList<Chain> chains, bool probing, CancellationToken ct)
    {
        var (absent, gone) = (0, false);
        using var gate = new SemaphoreSlim(probing ? 1 : AtOnce);
        await Task.WhenAll(chains.Select(One));

        async Task One(Chain chain)
        {
            await gate.WaitAsync(ct);
            try
            {
                foreach (var parcel in chain.Parcels)
                {
                    if (gone || Volatile.Read(ref absent) >= (probing ? Probes : 1)) return;
                    var attempt = await Send(parcel, ct);
                    chain.Attempts.Add(attempt);
                    if (attempt.Verdict == Verdict.Gone) gone = true;
                    // What was refused before may be what the receiver chokes on: it says nothing about others.
                    else if (attempt.Verdict == Verdict.Absent && !parcel.Late) Interlocked.Increment(ref absent);
                    if (attempt.Verdict != Verdict.Delivered && !(parcel.Again && attempt.Verdict == Verdict.Refused)) return;
                }
            }
            finally { gate.Release(); }
        }
    }

    public async Task<Attempt> Send(Parcel parcel, CancellationToken ct)
    {
        var (at, start) = (s.Now, s.Clock.GetTimestamp());
        var body = EventBody.Of(parcel.Entry, hook.AllProjects);
        var (status, error) = (0, "");
        try
        {
            status = await s.Outbound.Post(hook.Url, body, EventBody.One, Signature.Headers(hook.Keys, parcel.Entry.EventId, at, body.Span), OutboundLimits.Notification, ct);
            if (status is < 200 or > 299) error = status is >= 300 and < 400 ? $"It answered {status}; redirects are not followed." : $"It answered {status}.";
        }
        catch (OutboundException e) { error = e.Message; }
        return new(parcel, status switch { >= 200 and < 300 => Verdict.Delivered, 410 => Verdict.Gone, 0 or 429 or 502 or 503 or 504 => Verdict.Absent, _ => Verdict.Refused }, status, error, at, s.Clock.GetElapsedTime(start));
    }
}
