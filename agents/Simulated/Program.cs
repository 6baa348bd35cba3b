using System.Globalization;
using Cloud.Agents.Contract;
using Cloud.Agents.Simulated;
using Microsoft.Extensions.Logging.Abstractions;

// Simulated hosts as a process of their own, over AMQP like real ones.
var (data, control, secrets, beat, names) = ("", "", "", TimeSpan.FromSeconds(5), new List<string>());
for (var i = 0; i < args.Length; i += 2)
{
    var value = i + 1 < args.Length ? args[i + 1] : "";
    switch (args[i])
    {
        case "--data": data = value; break;
        case "--control": control = value; break;
        case "--secrets": secrets = value; break;
        case "--name": names.Add(value); break;
        case "--beat" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds > 0: beat = TimeSpan.FromSeconds(seconds); break;
        default: data = ""; i = args.Length; break;
    }
}
if (data.Length == 0 || control.Length == 0 || secrets.Length == 0 || names.Count == 0)
{
    Console.Error.WriteLine("usage: Cloud.Agents.Simulated --data DIR --control amqp://HOST:PORT --secrets DIR [--beat SECONDS] --name NAME...   (secrets: DIR/host-NAME.secret)");
    return 2;
}

using var stop = new CancellationTokenSource();
using var term = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, s => { s.Cancel = true; stop.Cancel(); });
Console.CancelKeyPress += (_, e) => { e.Cancel = true; stop.Cancel(); };
Directory.CreateDirectory(data);
await Task.WhenAll(names.Select(async name =>
{
    using var journal = new Journal(Path.Combine(data, name + ".journal"));
    await using var link = new HostLink(control, name, Path.Combine(secrets, $"host-{name}.secret"), TimeProvider.System, NullLoggerFactory.Instance);
    try { await Fleet.Run(new(name, journal: journal), link, beat, TimeProvider.System, stop.Token); }
    catch (OperationCanceledException) when (stop.IsCancellationRequested) { /* asked to end */ }
}));
return 0;
