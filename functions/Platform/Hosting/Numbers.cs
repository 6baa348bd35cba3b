using System.Diagnostics.Metrics;
using Cloud.Agents.Contract;

namespace Cloud.Platform.Hosting;

/// <summary>What this process counts of itself. Every label is one of few: nothing that a client sent becomes one.</summary>
public static class Numbers
{
    private static readonly Meter s_meter = new(Tracing.Source);
    private static readonly Histogram<double> s_requests = s_meter.CreateHistogram<double>("http.server.request.duration", "s", "Time to answer requests.");
    private static readonly Counter<long> s_sagas = s_meter.CreateCounter<long>("cloud.sagas.ended", description: "Sagas that came to their end.");
    private static readonly Counter<long> s_messages = s_meter.CreateCounter<long>("cloud.messages.handled", description: "Messages of queues that were handled, or failed and come again.");

    private static readonly HashSet<string> s_methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "COPY"];

    public static void Request(string service, string method, int status, TimeSpan took) =>
        s_requests.Record(took.TotalSeconds, new("service", service), new("http.request.method", s_methods.Contains(method) ? method : "_OTHER"), new("http.response.status_code", status));

    public static void Saga(string name, bool undone) => s_sagas.Add(1, new("saga", name), new("outcome", undone ? "undone" : "done"));

    public static void Message(string queue, bool failed) => s_messages.Add(1, new("queue", queue), new("outcome", failed ? "failed" : "done"));
}
