using Cloud.Agents.Contract.Libvirt;
using Grpc.Core;
using Xunit;

namespace Cloud.Tests.EndToEnd;

/// <summary>The sidecar's process over a real libvirtd and real (empty) guests.</summary>
[Trait("needs", "root")]
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SidecarTests(SidecarLab lab) : IClassFixture<SidecarLab>
{
    [Fact]
    public async Task Tells_what_the_host_is_and_admits_one_user()
    {
        SidecarLab.Require();
        var host = await lab.Client.GetHostAsync(new Empty());
        Assert.Equal("QEMU", host.Hypervisor);
        Assert.Equal(Environment.ProcessorCount, host.Cpus);
        Assert.True(host.MemoryKib > 0);
        Assert.True(Guid.TryParse(host.Uuid, out _));
        Assert.Matches(@"^\d+\.\d+\.\d+$", host.Version);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(lab.SocketPath));
    }

    [Fact]
    public async Task A_domain_lives_its_life_and_every_step_may_be_repeated()
    {
        SidecarLab.Require();
        const string name = "cs-test-life";
        var domain = new DomainRef { Name = name };
        Assert.Equal(DomainState.Off, (await lab.Client.DefineAsync(new DomainXml { Xml = Xml(name) })).State);
        await lab.Client.DefineAsync(new DomainXml { Xml = Xml(name) });
        await Twice(lab.Client.StartAsync, DomainState.Running);
        await lab.Event(e => e.Name == name && e.Detail == "started" && e.State == DomainState.Running);
        await Twice(lab.Client.SuspendAsync, DomainState.Paused);
        await lab.Event(e => e.Name == name && e.State == DomainState.Paused);
        await Twice(lab.Client.ResumeAsync, DomainState.Running);
        await Twice(lab.Client.ResetAsync, DomainState.Running);
        await Twice(lab.Client.ShutdownAsync, DomainState.Running);   // nobody in there to hear it
        var listed = Assert.Single((await lab.Client.ListDomainsAsync(new Empty())).Domains, d => d.Name == name);
        Assert.Equal(DomainState.Running, listed.State);
        Assert.True(listed.CpuNs > 0);
        Assert.Equal(64 * 1024, listed.MemoryKib);
        await Twice(lab.Client.DestroyAsync, DomainState.Off);
        await lab.Event(e => e.Name == name && e.Detail == "stopped: destroyed");
        await Fails(StatusCode.FailedPrecondition, lab.Client.SuspendAsync(domain));
        await Fails(StatusCode.FailedPrecondition, lab.Client.ResetAsync(domain));
        await lab.Client.UndefineAsync(domain);
        await lab.Client.UndefineAsync(domain);
        await Fails(StatusCode.NotFound, lab.Client.GetDomainAsync(domain));

        async Task Twice(Func<DomainRef, Metadata?, DateTime?, CancellationToken, AsyncUnaryCall<DomainInfo>> act, DomainState state)
        {
            for (var i = 0; i < 2; i++) Assert.Equal(state, (await act(domain, null, null, default)).State);
        }
    }

    [Fact]
    public async Task A_disk_comes_grows_and_goes_while_the_guest_runs()
    {
        SidecarLab.Require();
        const string name = "cs-test-disk";
        var domain = new DomainRef { Name = name };
        var file = Path.Combine(lab.Directory, "disk.raw");
        await using (var disk = File.Create(file)) disk.SetLength(1 << 20);
        var device = new DeviceXml { Name = name, Xml = Disk(file) };
        await lab.Client.DefineAsync(new DomainXml { Xml = Xml(name) });
        await lab.Client.StartAsync(domain);

        await lab.Client.AttachDeviceAsync(device);
        await lab.Client.AttachDeviceAsync(device);
        Assert.Contains(file, (await lab.Client.GetDomainAsync(domain)).Xml);
        var used = Assert.Single((await lab.Client.GetStatsAsync(new Empty())).Domains, d => d.Name == name);
        Assert.Equal((1, 64L * 1024, "sda"), (used.Vcpus, used.MemoryKib, Assert.Single(used.Disks).Device));
        Assert.True(used.CpuNs > 0 && used.ResidentKib > 0);
        Assert.Empty(used.Nics);
        await lab.Client.BlockResizeAsync(new BlockResizeRequest { Name = name, Device = "sda", Bytes = 2 << 20 });
        Assert.Equal(2 << 20, new FileInfo(file).Length);
        await Fails(StatusCode.NotFound, lab.Client.DetachDeviceAsync(new DeviceXml { Name = name, Xml = Disk("/another") }));

        await lab.Client.DetachDeviceAsync(device);
        await lab.Event(e => e.Name == name && e.Kind == "device-removed" && e.Device != "");
        Assert.DoesNotContain(file, (await lab.Client.GetDomainAsync(domain)).Xml);
        await Fails(StatusCode.NotFound, lab.Client.DetachDeviceAsync(device));

        await lab.Client.AttachDeviceAsync(device);
        await lab.Client.DestroyAsync(domain);
        Assert.Contains(file, (await lab.Client.GetDomainAsync(domain)).Xml);   // it was made persistent too
        await lab.Client.UndefineAsync(domain);
    }

    [Fact]
    public async Task Many_are_driven_at_once()
    {
        SidecarLab.Require();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            var domain = new DomainRef { Name = $"cs-test-many-{i}" };
            await lab.Client.DefineAsync(new DomainXml { Xml = Xml(domain.Name) });
            // Two who want the same at the same moment both get it.
            var started = await Task.WhenAll(lab.Client.StartAsync(domain).ResponseAsync, lab.Client.StartAsync(domain).ResponseAsync);
            Assert.All(started, info => Assert.Equal(DomainState.Running, info.State));
            var ended = await Task.WhenAll(lab.Client.DestroyAsync(domain).ResponseAsync, lab.Client.DestroyAsync(domain).ResponseAsync);
            Assert.All(ended, info => Assert.Equal(DomainState.Off, info.State));
            await Task.WhenAll(lab.Client.UndefineAsync(domain).ResponseAsync, lab.Client.UndefineAsync(domain).ResponseAsync);
        }));
        Assert.DoesNotContain((await lab.Client.ListDomainsAsync(new Empty())).Domains, d => d.Name.StartsWith("cs-test-many-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusals_have_the_contracts_statuses()
    {
        SidecarLab.Require();
        await Fails(StatusCode.InvalidArgument, lab.Client.DefineAsync(new DomainXml { Xml = "<domain" }));
        await Fails(StatusCode.InvalidArgument, lab.Client.DefineAsync(new DomainXml { Xml = Xml("not-ours") }));
        await Fails(StatusCode.InvalidArgument, lab.Client.DefineAsync(new DomainXml { Xml = Xml("cs-test-bad").Replace("hvm", "no-such") }));
        await Fails(StatusCode.InvalidArgument, lab.Client.DefineAsync(new DomainXml { Xml = "<domain type='qemu'><name>cs-test-bad</name></domain>" }));
        await Fails(StatusCode.NotFound, lab.Client.StartAsync(new DomainRef { Name = "cs-test-unknown" }));
        await Fails(StatusCode.NotFound, lab.Client.DestroyAsync(new DomainRef { Name = "cs-test-unknown" }));
        await Fails(StatusCode.NotFound, lab.Client.GetDomainAsync(new DomainRef { Name = "not-ours" }));
        await Fails(StatusCode.NotFound, lab.Client.AttachDeviceAsync(new DeviceXml { Name = "cs-test-unknown", Xml = Disk("/d") }));
        await lab.Client.UndefineAsync(new DomainRef { Name = "cs-test-unknown" });
    }

    [Fact]
    public async Task Survives_libvirtd_and_finds_the_guests_again()
    {
        SidecarLab.Require();
        const string name = "cs-test-survivor";
        var domain = new DomainRef { Name = name };
        await lab.Client.DefineAsync(new DomainXml { Xml = Xml(name) });
        await lab.Client.StartAsync(domain);
        await lab.Event(e => e.Name == name && e.Detail == "started");

        await lab.KillLibvirtd();
        await Fails(StatusCode.Unavailable, lab.Client.GetDomainAsync(domain));
        await Fails(StatusCode.Unavailable, lab.Client.UndefineAsync(domain));

        await lab.StartLibvirtd();
        await lab.Event(e => e.Name == name && e.Detail == "connected" && e.State == DomainState.Running);
        Assert.Equal(DomainState.Running, (await lab.Client.GetDomainAsync(domain)).State);
        await lab.Client.DestroyAsync(domain);
        await lab.Event(e => e.Name == name && e.State == DomainState.Off);
        await lab.Client.UndefineAsync(domain);
    }

    [Fact]
    public async Task A_guest_that_died_is_told_about_even_if_libvirtd_was_away()
    {
        SidecarLab.Require();
        const string name = "cs-test-dead";
        var domain = new DomainRef { Name = name };
        await lab.Client.DefineAsync(new DomainXml { Xml = Xml(name) });
        await lab.Client.StartAsync(domain);
        await lab.KillGuest(name);
        await lab.Event(e => e.Name == name && e.State == DomainState.Off && e.Detail == "stopped: failed");

        await lab.Client.StartAsync(domain);
        await lab.KillLibvirtd();
        await lab.KillGuest(name);
        await lab.StartLibvirtd();
        await lab.Event(e => e.Name == name && e.Detail == "connected" && e.State == DomainState.Off);
        await lab.Client.UndefineAsync(domain);
    }

    private static async Task Fails<T>(StatusCode expected, AsyncUnaryCall<T> call) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);

    private static string Xml(string name) => $"""
        <domain type='qemu'>
          <name>{name}</name><uuid>{Cloud.Agents.Contract.Names.Short(name)[..8]}-0000-4000-8000-000000000000</uuid>
          <memory unit='MiB'>64</memory><vcpu>1</vcpu>
          <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
          <devices><controller type='scsi' model='virtio-scsi'/><controller type='usb' model='none'/><memballoon model='none'/></devices>
        </domain>
        """;

    // Behind virtio-scsi, whose disks leave without the guest's help.
    private static string Disk(string file) => $"""
        <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{file}'/><target dev='sda' bus='scsi'/></disk>
        """;
}
