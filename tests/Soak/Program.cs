using System.Runtime.InteropServices;
using Cloud.Soak;

// Real processes, killed at random while clients work; at the end everything that was accepted must have ended, and nothing be left over.
using var abort = new CancellationTokenSource();
void Abort(PosixSignalContext signal)
{
    // What was started is ended in order.
    signal.Cancel = true;
    abort.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Abort);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Abort);
try
{
    if (args is ["serve", .. var how])
    {
        await Serve.Run(how, abort.Token);
        return 0;
    }
    await using var soak = new Soak(Options.Parse(args), abort.Token);
    return await soak.Run() ? 0 : 1;
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(Options.Usage);
    return 2;
}
catch (OperationCanceledException) when (abort.IsCancellationRequested)
{
    Console.Error.WriteLine("aborted; what it had started is ended");
    return 130;
}
catch (Exception e)
{
    // Caught, so that the processes are ended all the same.
    Console.Error.WriteLine(e);
    return 1;
}
