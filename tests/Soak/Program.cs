using Cloud.Soak;

// Real processes, killed at random while clients work; at the end everything that was accepted must have ended, and nothing be left over.
try
{
    await using var soak = new Soak(Options.Parse(args));
    return await soak.Run() ? 0 : 1;
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    Console.Error.WriteLine(Options.Usage);
    return 2;
}
catch (Exception e)
{
    // Caught, so that the processes are ended all the same.
    Console.Error.WriteLine(e);
    return 1;
}
