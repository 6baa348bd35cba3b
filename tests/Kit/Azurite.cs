using System.Diagnostics;

namespace Cloud.Tests.Kit;

/// <summary>Azure Storage as Microsoft's own emulator plays it, started for one test.</summary>
public sealed class Azurite : IAsyncDisposable
{
    // Its own account; every copy of it has this key.
    private const string Account = "devstoreaccount1", Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    public const string Missing = "needs azurite on the path (npm install azurite)";

    private readonly Process _process;
    private readonly DirectoryInfo _data;

    private Azurite(Process process, DirectoryInfo data, string connection) => (_process, _data, Connection) = (process, data, connection);

    public string Connection { get; }
    /// <summary>Without a key: for whoever has a token.</summary>
    public string Endpoint { get; private init; } = "";

    /// <summary>Requests so far: it writes a line for each.</summary>
    public int Requests { get; private set; }

    /// <summary>Null where it isn't installed (npm install azurite).</summary>
    /// <param name="service">blob or table.</param>
    /// <param name="certificate">It speaks TLS with it, and takes tokens of Entra: their audience, issuer and times, but not who signed them.</param>
    public static async Task<Azurite?> Start(string service, OwnCertificate? certificate = null)
    {
        if (Program(service) is not { } program) return null;
        var (data, address) = (Directory.CreateTempSubdirectory("cs-azurite-"), $"127.0.0.1:{FreePorts.One()}");
        string[] tls = certificate is null ? [] : ["--cert", certificate.Certificate, "--key", certificate.Key, "--oauth", "basic"];
        var process = Process.Start(new ProcessStartInfo(program, [.. Arguments(service, "127.0.0.1", address.Split(':')[1], data.FullName), .. tls]) { RedirectStandardOutput = true })!;
        while (await process.StandardOutput.ReadLineAsync() is { } line && !line.Contains(" successfully ", StringComparison.Ordinal)) { /* it "listens" or "started" */ }
        var azurite = new Azurite(process, data, ConnectionOf(service, address)) { Endpoint = $"https://{address}/{Account}" };
        _ = azurite.Count();
        return azurite;
    }

    /// <summary>Null where it isn't installed.</summary>
    public static string? Program(string service) => Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(d => Path.Combine(d, "azurite-" + service)).FirstOrDefault(File.Exists);

    public static string[] Arguments(string service, string address, string port, string data) => [$"--{service}Host", address, $"--{service}Port", port, "--location", data, "--skipApiVersionCheck", "--disableTelemetry"];

    public static string ConnectionOf(string service, string address) => $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};{char.ToUpperInvariant(service[0]) + service[1..]}Endpoint=http://{address}/{Account};";

    private async Task Count()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
            if (line.Contains(" HTTP/1.1\" ", StringComparison.Ordinal)) Requests++;
    }

    /// <summary>Ends it in the midst of whatever it does.</summary>
    public async Task Kill()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        _process.Dispose();
        _data.Delete(recursive: true);
    }
}
