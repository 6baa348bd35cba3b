using System.Globalization;
using System.Runtime.InteropServices;
using Cloud.Demo;
using Cloud.Demo.Steps;

// ./cloud demo: the whole way from nothing to a guest on the internet and back to nothing, each step seen to work.
if (args is not ["--root", { } root, "--data", { } data, "--boots", { } text] || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var boots) || boots is < 2 or > 1000)
{
    Console.Error.WriteLine("usage: Cloud.Demo --root CHECKOUT --data DIR --boots N   (./cloud demo calls it; from 2 to 1000 boots each way are compared)");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

Step[] steps =
[
    new("The cloud starts", Start.Run),
    new("A guest image is built and uploaded", Image.Run),
    new("A tenant: network, router, rules, volume, server", Tenant.Run),
    new("The server, seen from the internet", Reach.Run),
    new("Volume and address move to a second server", Move.Run),
    new("The tenant heard of it all by a webhook", Hear.Run),
    new("What was used", Usage.Run),
    new("All is deleted, and nothing of it is left", Clean.Run),
    new("The bill", Bill.Run),
    new("The cloud ends, and the machine is as before", Clean.Down),
];
return await Show.Run(steps, root, data, boots, stop.Token);

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
