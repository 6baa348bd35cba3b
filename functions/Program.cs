using System.Diagnostics;
using System.Globalization;
using Cloud;
using Cloud.Agents.Contract;
using Cloud.Platform.Hosting;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

using var traces = Tracing.Export("cloud-control-plane", Environment.GetEnvironmentVariable);

// The front door of the control plane; ./cloud calls it. On Azure the Functions host starts it without arguments.
try
{
    switch (args)
    {
        case ["up", .. var rest]:
            await using (var cloud = await Embedded.Start(EmbeddedOptions.Parse(rest)))
            {
                var options = EmbeddedOptions.Parse(rest);
                Console.WriteLine($"ready http://{options.Listen} in {(TimeProvider.System.GetUtcNow() - Process.GetCurrentProcess().StartTime.ToUniversalTime()).TotalMilliseconds:0} ms");
                await cloud.Stopped;
            }
            return 0;
        case [] when Environment.GetEnvironmentVariable(CustomHandler.Port) is not null:
            await CustomHandler.Run(Environment.GetEnvironmentVariable);
            return 0;
        case [Cloud.Image.Inspection.Verb, var format, var length]:
            Confinement.Run(head => Cloud.Image.Inspection.Answer(format, long.Parse(length, CultureInfo.InvariantCulture), head));
            return 0;
        case ["functions", "--out", var directory]:
            FunctionJson.Write(directory, Triggers.All(Slices.All));
            return 0;
        case ["openapi", "--out", var directory]:
            Directory.CreateDirectory(directory);
            foreach (var slice in Slices.All) File.WriteAllText(Path.Combine(directory, slice.Prefix + ".json"), OpenApi.Of(slice));
            return 0;
        case ["coverage", "--out", var file]:
            File.WriteAllText(file, Coverage.Of(Slices.All));
            return 0;
        default:
            Console.Error.WriteLine("usage: up --data DIR [--listen ADDRESS:PORT] [--amqp ADDRESS:PORT] [--host NAME]... [--object-store DIR]... [--services NAME,...] [--settings FILE] [--simulated N] [--take-over SECONDS] | functions --out DIR | openapi --out DIR | coverage --out FILE");
            return 2;
    }
}
catch (Exception e) when (e is ArgumentException or StoreUnavailableException or IOException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
