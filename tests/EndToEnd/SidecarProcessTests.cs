using System.Diagnostics;
using System.Runtime.InteropServices;
using Cloud.Agents.Contract.Libvirt;
using Grpc.Core;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>The sidecar as a process, over the make-believe hypervisor that is part of libvirt's library: needs neither root nor libvirtd.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SidecarProcessTests : IAsyncDisposable
{
    private const string Uri = "test:///default";
    private readonly string directory = Directory.CreateTempSubdirectory("cs-sidecar-").FullName;
    private readonly List<Process> processes = [];

    private string Socket => Path.Combine(directory, "s.sock");

    [Fact]
    public async Task One_that_was_killed_is_not_in_the_way_but_one_that_lives_is()
    {
        Require();
        var first = await Start();
        using (var second = SidecarLab.Sidecar(Socket, Uri))
        {
            await second.WaitForExitAsync();
            Assert.Equal(1, second.ExitCode);
        }
        first.Kill();
        await first.WaitForExitAsync();
        Assert.True(File.Exists(Socket));
        await Start();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public async Task Ends_when_asked_although_a_subscriber_listens()
    {
        Require();
        var sidecar = await Start();
        using var channel = SidecarLab.Open(Socket);
        using var events = new Libvirt.LibvirtClient(channel).Events(new Empty());
        await events.ResponseHeadersAsync;
        Assert.Equal(0, kill(sidecar.Id, 15));
        await sidecar.WaitForExitAsync();
        Assert.Equal(0, sidecar.ExitCode);
        Assert.False(File.Exists(Socket));
        try { Assert.False(await events.ResponseStream.MoveNext(CancellationToken.None)); }
        catch (RpcException) { }   // as good an end
    }

    [Fact]
    public async Task Domains_of_others_can_be_neither_seen_nor_touched()
    {
        Require();
        await Start();
        using var channel = SidecarLab.Open(Socket);
        var client = new Libvirt.LibvirtClient(channel);
        await SidecarLab.Connected(client);
        Assert.Empty((await client.ListDomainsAsync(new Empty())).Domains);   // libvirt made one named "test"
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(async () => await client.DestroyAsync(new DomainRef { Name = "test" }))).StatusCode);
        const string xml = "<domain type='test'><name>cs-1</name><memory>65536</memory><os><type>hvm</type></os></domain>";
        Assert.Equal(DomainState.Off, (await client.DefineAsync(new DomainXml { Xml = xml })).State);
        Assert.Equal("cs-1", Assert.Single((await client.ListDomainsAsync(new Empty())).Domains).Name);
        Assert.Equal(DomainState.Running, (await client.StartAsync(new DomainRef { Name = "cs-1" })).State);
    }

    [Fact]
    public async Task Says_how_it_is_used()
    {
        using var sidecar = Process.Start(new ProcessStartInfo(SidecarLab.Executable, ["--nonsense"]) { RedirectStandardError = true })!;
        Assert.StartsWith("usage:", await sidecar.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        await sidecar.WaitForExitAsync();
        Assert.Equal(2, sidecar.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(directory, recursive: true);
    }

    private static void Require() => Assert.SkipUnless(NativeLibrary.TryLoad("libvirt.so.0", out _), "needs libvirt's library");

    private async Task<Process> Start()
    {
        var process = SidecarLab.Sidecar(Socket, Uri);
        processes.Add(process);
        Assert.Equal($"ready {Socket}", await process.StandardOutput.ReadLineAsync());
        return process;
    }

    [DllImport("libc")] private static extern int kill(int process, int signal);
}
