using System.Diagnostics;
using Cloud.Tests.Kit;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Images;
using Xunit;

namespace Cloud.Tests.Containers;

/// <summary>All classes that need containers, one after another, with one daemon for all.</summary>
[CollectionDefinition(Name)]
public sealed class WithDocker : ICollectionFixture<Docker>
{
    public const string Name = "containers";
}

/// <summary>
/// Debian's docker, started for the tests and ended with them: a child with its own folders, socket and bridge (daemon.sh). The machine is left as it was;
/// where it isn't, the run fails. Images are made of what is installed here (image.sh).
/// </summary>
public sealed class Docker : IAsyncLifetime
{
    public const string Missing = "needs root and Debian's docker.io (infra/cli/packages.sh test)";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "cs-docker-" + Path.GetRandomFileName()[..6]);
    private readonly Dictionary<string, Task<string>> _images = [];
    private Process? _daemon;
    private string _before = "";

    private string Bridge => "csd" + _folder[^6..];
    private string Socket => $"unix://{_folder}/docker.sock";

    /// <summary>This machine, as containers see it. Two runs of the tests don't meet.</summary>
    public string Gateway { get; } = $"172.31.{(Environment.ProcessId % 250) + 1}.1";

    public bool IsThere => _daemon is not null;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/sbin/dockerd") || !File.Exists("/usr/bin/docker")) return;
        // As much as Debian's daemon understands: the client library would ask for more, and get nothing.
        Environment.SetEnvironmentVariable("DOCKER_API_VERSION", "1.41");
        // Else it would ask a registry for a container that cleans up.
        TestcontainersSettings.ResourceReaperEnabled = false;
        _before = await Picture();
        var daemon = Process.Start(new ProcessStartInfo("bash", [Repository.Path("tests/Containers/daemon.sh"), _folder, Bridge, Gateway + "/24"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var said = await daemon.StandardOutput.ReadLineAsync().WaitAsync(Patience.Span);
        if (said != "ready") throw new InvalidOperationException("dockerd doesn't start: " + said + await daemon.StandardOutput.ReadToEndAsync().WaitAsync(Patience.Span));
        _daemon = daemon;
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is null) return;
        _daemon.StandardInput.Close();
        await _daemon.WaitForExitAsync().WaitAsync(Patience.Span);
        _daemon.Dispose();
        Assert.Equal(_before, await Picture());
    }

    /// <summary>A container of this daemon, from an image that is made of files of this machine when it is first asked for.</summary>
    public async Task<ContainerBuilder> Container(string image, params string[] paths)
    {
        Task<string> made;
        lock (_images)
            if (!_images.TryGetValue(image, out made!)) _images[image] = made = Make(image, paths);
        return new ContainerBuilder(await made).WithDockerEndpoint(Socket).WithImagePullPolicy(PullPolicy.Never).WithCleanUp(false)
            .WithCreateParameterModifier(p => { foreach (var port in p.HostConfig!.PortBindings?.Values.SelectMany(b => b) ?? []) port.HostIP = "127.0.0.1"; });
    }

    /// <summary>The power goes, nothing in it hears of it, and comes back; returns when it has said that once more.</summary>
    public async Task Restart(IContainer container, string ready)
    {
        async Task<int> Times() => (await Command("logs", container.Id)).Split(ready).Length;
        using var late = new CancellationTokenSource(Patience.Span);
        var before = await Times();
        await Command("kill", "--signal", "KILL", container.Id);
        await Command("start", container.Id);
        while (await Times() == before) await Task.Delay(200, late.Token);
    }

    /// <returns>What it wrote.</returns>
    public Task<string> Run(IContainer container, params string[] command) => Command(["exec", container.Id, .. command]);

    /// <summary>At once: nothing in it needs to say good-bye.</summary>
    public async ValueTask Remove(IContainer container) => await Command("rm", "--force", "--volumes", container.Id);

    private async Task<string> Make(string image, string[] paths)
    {
        var tar = Path.Combine(_folder, image + ".tar");
        await Run("bash", [Repository.Path("tests/Containers/image.sh"), tar, .. paths]);
        await Command("import", tar, $"cs-{image}:here");
        File.Delete(tar);
        return $"cs-{image}:here";
    }

    private Task<string> Command(params string[] arguments) => Run("docker", ["--host", Socket, .. arguments]);

    /// <summary>What a daemon changes on a machine: forwarding, its chains, interfaces, mounts, processes.</summary>
    private async Task<string> Picture()
    {
        string[] settings = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"];
        var processes = Directory.EnumerateDirectories("/proc").Select(d => Path.Combine(d, "cmdline")).Where(File.Exists).Select(Read).Where(c => c.Contains(_folder + "/", StringComparison.Ordinal));
        return string.Join('\n', [
            .. settings.Select(s => s + " = " + Read("/proc/sys/" + s).Trim()),
            .. (File.Exists("/usr/sbin/nft") ? await Run("/usr/sbin/nft", ["list", "ruleset"]) : "").Split('\n').Where(l => l.Contains("DOCKER", StringComparison.Ordinal)),
            .. (await Run("ip", ["-o", "link"])).Split('\n').Where(l => l.Contains(Bridge, StringComparison.Ordinal)),
            .. File.ReadLines("/proc/self/mounts").Where(m => m.Contains(_folder, StringComparison.Ordinal)),
            .. processes,
            Directory.Exists(_folder) ? _folder : "",
        ]);
    }

    private static string Read(string file)
    {
        try { return File.ReadAllText(file); }
        catch (IOException) { return ""; } // it ended meanwhile
    }

    private static async Task<string> Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Patience.Span);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {process.ExitCode} {await output} {await error}");
    }
}
