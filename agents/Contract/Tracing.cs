using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cloud.Agents.Contract;

/// <summary>
/// One trace from a request through its saga and a host's agent to libvirt, in W3C's form (https://www.w3.org/TR/trace-context/). Where OTEL_EXPORTER_OTLP_ENDPOINT
/// says where spans go, each process sends its own; where it doesn't, none is made and nothing of it is loaded.
/// </summary>
public static class Tracing
{
    public const string Source = "Cloud.Serverless", Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private static readonly ActivitySource s_source = new(Source);

    /// <summary>The span that this is in, as in a traceparent header; null when nobody traces.</summary>
    public static string? Current => s_source.HasListeners() ? Activity.Current?.Id : null;

    /// <param name="parent">A span of another process or another time; a text that is none begins a trace of its own.</param>
    /// <returns>Null when nobody traces.</returns>
    public static Activity? Begin(string name, ActivityKind kind, string? parent)
    {
        if (!s_source.HasListeners()) return null;
        if (ActivityContext.TryParse(parent, null, isRemote: true, out var from)) return s_source.StartActivity(name, kind, from);
        // The web server has a span of its own around each request, which nobody records: one below it would not be recorded either.
        Activity.Current = null;
        return s_source.StartActivity(name, kind);
    }

    /// <summary>Says what the request turned out to be: a route, never a path that somebody sent.</summary>
    public static void Name(string route, string request)
    {
        if (s_source.HasListeners() && Activity.Current is { Kind: ActivityKind.Server } span) (span.DisplayName, _) = (route, span.SetTag("http.route", route).SetTag("cloud.request", request));
    }

    /// <summary>Sends spans and numbers until disposed, the last ones then. How, is for OpenTelemetry's own variables: https://opentelemetry.io/docs/specs/otel/protocol/exporter/</summary>
    /// <returns>Null when nobody wants them.</returns>
    public static IDisposable? Export(string service, Func<string, string?> environment) => environment(Endpoint) is { Length: > 0 } ? Send(service) : null;

    private static Both Send(string service) => new(
        Sdk.CreateTracerProviderBuilder().AddSource(Source).ConfigureResource(r => r.AddService(service)).AddOtlpExporter().Build(),
        Sdk.CreateMeterProviderBuilder().AddMeter(Source).ConfigureResource(r => r.AddService(service)).AddOtlpExporter().Build());

    private sealed record Both(IDisposable Traces, IDisposable Metrics) : IDisposable
    {
        public void Dispose()
        {
            Traces.Dispose();
            Metrics.Dispose();
        }
    }
}
