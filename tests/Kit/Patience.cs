namespace Cloud.Tests.Kit;

/// <summary>How long a test waits for what surely comes. Only one that fails waits so long, so it is meant for the busiest machine.</summary>
public static class Patience
{
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(3);

    public static CancellationToken Token => new CancellationTokenSource(Span).Token;
}
