using Cloud.Agents.Contract;
using Cloud.Agents.Host.Linux;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.EndToEnd.Network;

public sealed class DhcpTests
{
    [Fact]
    public async Task A_guest_gets_its_lease_and_its_metadata()
    {
        await using var lab = new NetworkLab();
        Assert.SkipUnless(File.Exists("/usr/bin/busybox") || File.Exists("/bin/busybox"), "needs busybox");
        var host = await lab.Host("h");
        var port = Example.Port(11);
        await host.Must(new EnsurePort(Example.Network(), port));
        var guest = await lab.Guest(host, port, "guest");

        var script = Path.Combine(lab.Folder, "lease.sh");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nset\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var lease = await guest.Try("busybox", ["udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", script, "-O", "121", "-O", "mtu", "-x", "hostname:other"], Patience.Token);
        Assert.Contains("lease of 10.0.0.11 obtained from 10.0.0.2", lease.Error);
        foreach (var said in new[] { "router='10.0.0.1'", "dns='10.0.0.2'", "mtu='1450'", "mask='24'", "hostname='vm11'", "domain='openstacklocal'", "staticroutes='169.254.169.254/32 10.0.0.2 10.9.0.0/16 10.0.0.9 0.0.0.0/0 10.0.0.1'" })
            Assert.Contains(said, lease.Output);
        await Ip.Apply(guest, new Script().Add($"addr add 10.0.0.11/24 dev eth0\nroute add 169.254.169.254 via 10.0.0.2"), Patience.Token);
        Assert.Contains("10.0.0.11", await guest.Run("busybox", ["nslookup", "vm11.openstacklocal", "10.0.0.2"], Patience.Token));
        Assert.Equal("server-11", await guest.Run("busybox", ["wget", "-q", "-O", "-", "--header", "X-Instance-ID: server-12", "http://169.254.169.254/"], Patience.Token));
    }
}
