using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Cloud.Agents.Contract;
using Cloud.Platform;
using Cloud.Platform.Agents;

namespace Cloud.Operations;

/// <summary>
/// The numbers of this process and of the cloud as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/
/// The SDK's own exporter for it is not released; for everything else there is OTLP.
/// </summary>
public static class Prometheus
{
    public const string ContentType = "text/plain; version=0.0.4";
    private static readonly double[] s_bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    private static readonly ConcurrentDictionary<(Instrument Of, string Labels), Series> s_series = new();
    private static MeterListener? s_listener;

    private sealed class Series
    {
        private readonly Lock _gate = new();
        private readonly long[] _buckets = new long[s_bounds.Length];
        private (long Count, double Sum) _all;

        public void Add(double value)
        {
            lock (_gate)
            {
                _all = (_all.Count + 1, _all.Sum + value);
                for (var i = s_bounds.Length - 1; i >= 0 && value <= s_bounds[i]; i--) _buckets[i]++;
            }
        }

        public (long Count, double Sum, long[] Buckets) Read()
        {
            lock (_gate) return (_all.Count, _all.Sum, [.. _buckets]);
        }
    }

    /// <summary>From now on; once a process.</summary>
    public static void Listen()
    {
        var listener = new MeterListener { InstrumentPublished = (instrument, l) => { if (instrument.Meter.Name == Tracing.Source) l.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => s_series.GetOrAdd((instrument, Labels(tags)), _ => new()).Add(value));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => s_series.GetOrAdd((instrument, Labels(tags)), _ => new()).Add(value));
        if (Interlocked.CompareExchange(ref s_listener, listener, null) is null) listener.Start();
        else listener.Dispose();
    }

    public static async ValueTask<string> Text(Services s, CancellationToken ct)
    {
        var text = new StringBuilder();
        foreach (var of in s_series.GroupBy(x => x.Key.Of).OrderBy(g => g.Key.Name, StringComparer.Ordinal))
            if (of.Key is Histogram<double>) Histogram(text, of.Key, of.Select(x => (x.Key.Labels, x.Value)));
            else Write(text, Name(of.Key.Name) + "_total", "counter", of.Key.Description, of.Select(x => (x.Key.Labels, x.Value.Read().Sum)));
        var queues = await DeadLetters.Queues(s, ct);
        Write(text, "cloud_queue_messages", "gauge", "Messages that wait.", queues.Select(q => (Label("queue", q.Name), (double)q.Depth)));
        Write(text, "cloud_queue_dead_letters", "gauge", "Messages that were given up.", queues.Select(q => (Label("queue", q.Name), (double)q.Dead)));
        var hosts = await Hosts.All(s, ct);
        Write(text, "cloud_host_up", "gauge", "1 for a host that was heard of lately.", hosts.Select(h => (Label("host", h.Name), Hosts.IsUp(s, h) ? 1d : 0)));
        Write(text, "cloud_host_guests", "gauge", "Guests that run.", hosts.Select(h => (Label("host", h.Name), (double)h.Capacity.RunningGuests)));
        Write(text, "cloud_alerts", "gauge", "Alerts that nobody has dealt with.", [("", (await Alerts.List(s.Store, 10_000, ct)).Count)]);
        using var process = Process.GetCurrentProcess();
        Write(text, "process_resident_memory_bytes", "gauge", "Memory that the control plane has.", [("", process.WorkingSet64)]);
        Write(text, "process_cpu_seconds_total", "counter", "Processor time of the control plane.", [("", process.TotalProcessorTime.TotalSeconds)]);
        return text.ToString();
    }

    private static void Histogram(StringBuilder text, Instrument of, IEnumerable<(string Labels, Series Series)> all)
    {
        var name = $"{Name(of.Name)}_seconds";
        Head(text, name, "histogram", of.Description);
        foreach (var (labels, series) in all.OrderBy(x => x.Labels, StringComparer.Ordinal))
        {
            var (count, sum, buckets) = series.Read();
            for (var i = 0; i < buckets.Length; i++) Line(text, name + "_bucket", $"{labels},{Label("le", s_bounds[i].ToString(CultureInfo.InvariantCulture))}", buckets[i]);
            Line(text, name + "_bucket", $"{labels},{Label("le", "+Inf")}", count);
            Line(text, name + "_sum", labels, sum);
            Line(text, name + "_count", labels, count);
        }
    }

    private static void Write(StringBuilder text, string name, string type, string? help, IEnumerable<(string Labels, double Value)> lines)
    {
        Head(text, name, type, help);
        foreach (var (labels, value) in lines.OrderBy(l => l.Labels, StringComparer.Ordinal)) Line(text, name, labels, value);
    }

    private static void Head(StringBuilder text, string name, string type, string? help) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static void Line(StringBuilder text, string name, string labels, double value) =>
        text.Append(name).Append(labels.Length > 0 ? "{" : "").Append(labels).Append(labels.Length > 0 ? "}" : "").Append(CultureInfo.InvariantCulture, $" {value}\n");

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new string[tags.Length];
        for (var i = 0; i < tags.Length; i++) labels[i] = Label(Name(tags[i].Key), Convert.ToString(tags[i].Value, CultureInfo.InvariantCulture) ?? "");
        return string.Join(',', labels);
    }

    private static string Label(string name, string value) => $"{name}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private static string Name(string name) => name.Replace('.', '_');
}
