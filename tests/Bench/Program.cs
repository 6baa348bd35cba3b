using Cloud.Bench;

// ./cloud bench: measures the control plane and prints the figures beside those of OpenStack Zed.
var options = BenchOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine("usage: bench --cloud EXECUTABLE [--seconds N] [--only OPERATION]... [--idle SECONDS] [--write FILE] [--beside swift] [--size GIB] [--objects N] [--users N] [--scale HOSTS]");
    return 2;
}
var data = Path.Combine("/var/tmp", $"cs-bench-{Environment.ProcessId}"); // not /tmp: it may be memory, where nothing is durable
try
{
    if (options.Beside == "swift") return await new Objects(options, data).BesideSwift() ? 0 : 1;
    if (options.Scale is { } most)
    {
        var scale = new Scale(data, most, text => Console.WriteLine(text));
        await scale.All();
        Console.Write("\n" + scale.Text());
        if (options.Write is { } picture) File.WriteAllText(picture, scale.Picture());
        return 0;
    }
    var run = new Run(options, data);
    await run.All();
    Console.WriteLine();
    Console.Write(run.Text());
    if (options.Write is { } file) File.WriteAllText(file, run.Document());
    return run.Met ? 0 : 1;
}
finally
{
    if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
}

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    public string Cloud { get; init; } = "";
    /// <summary>Length of one rate measurement.</summary>
    public double Seconds { get; init; } = 4;
    public double Idle { get; init; } = 60;
    /// <summary>Operations to measure; all when empty, and then the rest as well.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];
    /// <summary>Of the image that is sent through, in GiB.</summary>
    public long GiB { get; init; } = 1;
    /// <summary>In the long lists.</summary>
    public int Objects { get; init; } = 100_000;
    public int Users { get; init; } = 10_000;
    /// <summary>Measures objects only, here and in that other system on this machine.</summary>
    public string? Beside { get; init; }
    /// <summary>Measures single things in clouds of up to so many hosts only.</summary>
    public int? Scale { get; init; }
    /// <summary>Writes the results there as Markdown; of a scale, its picture.</summary>
    public string? Write { get; init; }

    public static BenchOptions? Parse(string[] args)
    {
        var o = new BenchOptions();
        if (args.Length % 2 != 0) return null;
        foreach (var pair in args.Chunk(2))
            if (pair[0] == "--cloud") o = o with { Cloud = pair[1] };
            else if (pair[0] == "--only") o = o with { Only = [.. o.Only, pair[1]] };
            else if (pair[0] == "--write") o = o with { Write = pair[1] };
            else if (pair is ["--beside", "swift"]) o = o with { Beside = pair[1] };
            else if (pair[0] == "--seconds" && double.TryParse(pair[1], out var seconds)) o = o with { Seconds = seconds };
            else if (pair[0] == "--size" && long.TryParse(pair[1], out var gib) && gib > 0) o = o with { GiB = gib };
            else if (pair[0] == "--objects" && int.TryParse(pair[1], out var objects)) o = o with { Objects = objects };
            else if (pair[0] == "--users" && int.TryParse(pair[1], out var users)) o = o with { Users = users };
            else if (pair[0] == "--idle" && double.TryParse(pair[1], out var idle)) o = o with { Idle = idle };
            else if (pair[0] == "--scale" && int.TryParse(pair[1], out var hosts) && hosts >= 100) o = o with { Scale = hosts };
            else return null;
        return o.Cloud.Length > 0 ? o : null;
    }
}
