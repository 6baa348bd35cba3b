using Cloud.Platform;
using Cloud.Platform.Bus;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>What follows when metrics or a resource are gone: their points, their past, what led to them. Promised in the write that removes them; repeats harmlessly.</summary>
internal sealed record Clearing
{
    public const string Queue = "metric-clear";

    public string Home { get; init; } = "";
    public string[] Metrics { get; init; } = [];
    public string? Resource { get; init; }
    public string? Project { get; init; }
    public string? Past { get; init; }

    public static Message Of(string home, string[] metrics, Subject? r) =>
        new(Queue, $"{r?.Born}{string.Join('.', metrics.Take(1))}", Json.Write(new Clearing { Home = home, Metrics = metrics, Resource = r?.Id, Project = r?.Project, Past = r is null ? null : Catalogue.PastOf(r) }));

    public static async Task Handle(Services s, Delivery d, CancellationToken ct)
    {
        var it = Json.Read<Clearing>(d.Message.Body);
        foreach (var metric in it.Metrics) await Archive.Clear(s.Store, metric, ct);
        if (it.Past is { } past) await Catalogue.ForgetPast(s.Store, it.Home, past, ct);
        await Catalogue.Forget(s.Store, it.Home, it.Resource, it.Project, it.Metrics, ct);
    }
}
