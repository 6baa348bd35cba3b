using System.Net;
using System.Net.Sockets;
using System.Text;
using Cloud.Platform.Net;
using Cloud.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cloud.Tests.Attacks;

/// <summary>What tenants can try with URLs that the cloud fetches for them.</summary>
public sealed class OutboundTests : IDisposable
{
    private static readonly OutboundLimits Limits = new(1000, TimeSpan.FromMinutes(5));
    private readonly FakeTimeProvider _clock = new();
    private readonly FakeInternet _net;
    private readonly OutboundHttp _http;

    public OutboundTests()
    {
        _net = new(_clock);
        _http = Client();
        _net.Name("good.example", "8.8.8.8");
        _net.Server("8.8.8.8:80", FakeInternet.Ok("hello"));
    }

    [Fact]
    public async Task What_is_public_can_be_had()
    {
        Assert.Equal("hello", await Read("http://good.example/file?x=1"));
        Assert.Equal("hello", await Read("http://8.8.8.8/"));
        Assert.StartsWith("GET /file?x=1 HTTP/1.1\r\nHost: good.example\r\n", _net.Sent[0], StringComparison.Ordinal);
        Assert.Equal(204, await Posted("HTTP/1.1 204 No Content\r\n\r\n"));
    }

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.8.8.8/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::]/")]
    [InlineData("http://0.0.0.0/")]
    [InlineData("http://0/")]
    [InlineData("http://10.1.2.3/")]
    [InlineData("http://172.31.0.1/")]
    [InlineData("http://192.168.1.1/")]
    [InlineData("http://100.64.0.1/")]
    [InlineData("http://198.18.0.1/")]
    [InlineData("http://224.0.0.1/")]
    [InlineData("http://255.255.255.255/")]
    [InlineData("http://[fd00::1]/")]
    [InlineData("http://[fe80::1]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[ff02::1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::ffff:8.8.8.8]/")]
    [InlineData("http://[::ffff:10.0.0.1]/")]
    [InlineData("http://[::ffff:a9fe:a9fe]/")]
    [InlineData("http://[::127.0.0.1]/")]
    [InlineData("http://[64:ff9b::7f00:1]/")]
    [InlineData("http://[2002:7f00:1::]/")]
    [InlineData("http://[2001:0:7f00:1::]/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://127.1/")]
    public async Task An_internal_address_is_refused_before_any_packet_however_it_is_written(string url)
    {
        var refusal = Assert.Throws<OutboundException>(() => _http.Check(url));
        Assert.Contains("internal", refusal.Message, StringComparison.Ordinal);
        await Refused(url);
        Assert.Empty(_net.Connected);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://good.example/")]
    [InlineData("ftp://good.example/x")]
    [InlineData("swift+config://ref/container/object")]
    [InlineData("unix:/run/docker.sock")]
    [InlineData("//good.example/x")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    [InlineData("http:///x")]
    [InlineData("http://user:secret@good.example/")]
    [InlineData("http://good.example:22/")]
    [InlineData("http://good.example:25/")]
    [InlineData("http://good.example:0/")]
    [InlineData("http://①②⑦.⓪.⓪.①/")]
    [InlineData("http://bücher.example/")]
    public async Task Other_schemes_credentials_and_the_ports_of_other_services_are_refused(string url)
    {
        Assert.Throws<OutboundException>(() => _http.Check(url));
        await Refused(url);
        Assert.Empty(_net.Connected);
    }

    [Theory]
    [InlineData("http://169.254.169.254/")]
    [InlineData("http://inside.example/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://u:p@good.example/")]
    [InlineData("//127.0.0.1/")]
    public async Task A_redirect_is_looked_at_like_the_first_url(string location)
    {
        _net.Name("inside.example", "10.0.0.5");
        _net.Server("8.8.8.8:80", FakeInternet.Redirect(location));
        await Refused("http://good.example/");
        Assert.All(_net.Connected, c => Assert.Equal("8.8.8.8:80", c.ToString()));
    }

    [Fact]
    public async Task Three_redirects_are_followed_a_fourth_is_not()
    {
        for (var hops = 3; hops <= 4; hops++)
        {
            var left = hops;
            _net.Server("8.8.8.8:80", _ => [Encoding.ASCII.GetBytes(left-- > 0 ? FakeInternet.Redirect("/next") : FakeInternet.Ok("there"))]);
            if (hops == 3) Assert.Equal("there", await Read("http://good.example/"));
            else await Refused("http://good.example/");
        }
    }

    [Fact]
    public async Task A_name_that_changes_its_mind_gains_nothing()
    {
        _net.Name("rebind.example", "8.8.8.8", "127.0.0.1");
        Assert.Equal("hello", await Read("http://rebind.example/"));
        Assert.Equal("8.8.8.8:80", Assert.Single(_net.Connected).ToString());
        // A new connection, a new look.
        using var later = Client();
        await Assert.ThrowsAsync<OutboundException>(() => later.Get("http://rebind.example/", Limits));
        Assert.Single(_net.Connected);
    }

    [Fact]
    public async Task A_name_with_one_internal_address_among_others_is_refused()
    {
        _net.Name("mixed.example", "8.8.8.8 10.0.0.1");
        await Refused("http://mixed.example/");
        Assert.Empty(_net.Connected);
    }

    [Fact]
    public async Task Closed_unknown_internal_mute_and_wrong_look_the_same()
    {
        _net.Name("closed.example", "9.9.9.9");
        _net.Name("inside.example", "192.168.0.1");
        _net.Name("ssh.example", "9.9.9.10");
        _net.Server("9.9.9.10:80", "SSH-2.0-OpenSSH_9.2\r\n");
        _net.Name("error.example", "9.9.9.11");
        _net.Server("9.9.9.11:80", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        _net.Name("mute.example", "9.9.9.12");
        _net.Server("9.9.9.12:80", _ => [[]]);
        var texts = new HashSet<string>();
        foreach (var name in new[] { "closed", "unknown", "inside", "ssh", "error" }) texts.Add(await Refused($"http://{name}.example/"));
        var mute = _http.Get("http://mute.example/", Limits);
        await _net.Silent;
        _clock.Advance(TimeSpan.FromSeconds(11));
        texts.Add((await Assert.ThrowsAsync<OutboundException>(() => mute)).Message);
        Assert.Equal(["The URL could not be fetched."], texts);
        foreach (var name in new[] { "closed", "unknown", "inside", "ssh" })
            texts.Add((await Assert.ThrowsAsync<OutboundException>(() => _http.Post($"http://{name}.example/", default, "text/plain", [], Limits))).Message);
        Assert.Single(texts);
    }

    [Fact]
    public async Task Too_much_is_cut_off_announced_or_not()
    {
        _net.Server("8.8.8.8:80", "HTTP/1.1 200 OK\r\nContent-Length: 10995116277760\r\n\r\n");
        await Refused("http://good.example/");
        _net.Server("8.8.8.8:80", _ => _net.Slowly("Connection: close\r\n", TimeSpan.Zero, 300, int.MaxValue));
        Assert.Contains("larger than 1000 bytes", await Refused("http://good.example/"), StringComparison.Ordinal);
        _net.Server("8.8.8.8:80", "HTTP/1.1 200 OK\r\nX: " + new string('x', 20_000) + "\r\nContent-Length: 0\r\n\r\n");
        await Refused("http://good.example/");
    }

    [Fact]
    public async Task A_trickle_is_cut_off()
    {
        _net.Server("8.8.8.8:80", _ => _net.Slowly("Content-Length: 900\r\n", TimeSpan.FromMinutes(1), 1, 900));
        await Refused("http://good.example/");
        // Never idle for long, and too slow all the same.
        _net.Server("8.8.8.8:80", _ => _net.Slowly("Content-Length: 900\r\n", TimeSpan.FromSeconds(4), 100, 9));
        Assert.Contains("slowly", await Refused("http://good.example/"), StringComparison.Ordinal);
        // Fast enough, but for ever.
        _net.Server("8.8.8.8:80", _ => _net.Slowly("Connection: close\r\n", TimeSpan.FromSeconds(4), 8192, int.MaxValue));
        var start = _clock.GetUtcNow();
        await Refused("http://good.example/", new(long.MaxValue, TimeSpan.FromMinutes(5)));
        Assert.InRange(_clock.GetUtcNow() - start, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(6));
    }

    [Fact]
    public async Task Data_that_ends_early_is_an_error()
    {
        _net.Server("8.8.8.8:80", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nshort");
        await Refused("http://good.example/");
    }

    [Fact]
    public async Task What_is_compressed_stays_so()
    {
        _net.Server("8.8.8.8:80", FakeInternet.Ok("not really gzip", "Content-Encoding: gzip\r\n"));
        Assert.Equal("not really gzip", await Read("http://good.example/"));
    }

    [Fact]
    public async Task No_credential_and_no_cookie_ever_leaves()
    {
        _net.Server("8.8.8.8:80", r => [Encoding.ASCII.GetBytes(r.Contains("/next", StringComparison.Ordinal) ? "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n" : FakeInternet.Redirect("/next").Replace("Location", "Set-Cookie: a=b\r\nLocation", StringComparison.Ordinal))]);
        await Refused("http://good.example/");
        Assert.Equal(2, _net.Sent.Count);
        Assert.All(_net.Sent, s => Assert.Equal(["Accept", "Accept-Encoding", "Host", "User-Agent"], s.Split("\r\n").Skip(1).TakeWhile(l => l.Length > 0).Select(l => l.Split(':')[0]).Order()));
        foreach (var name in new[] { "authorization", "Cookie", "Proxy-Authorization", "X-Auth-Token" })
            await Assert.ThrowsAsync<ArgumentException>(() => _http.Post("http://good.example/", default, "text/plain", [(name, "secret")], Limits));
    }

    [Fact]
    public async Task A_notification_is_not_redirected()
    {
        Assert.Equal(307, await Posted(FakeInternet.Redirect("http://8.8.4.4/", 307)));
        Assert.Single(_net.Connected);
    }

    [Fact]
    public async Task An_operator_may_open_a_network()
    {
        using var opened = Client(IPNetwork.Parse("127.0.0.0/8"));
        _net.Server("127.0.0.1:8080", FakeInternet.Ok("mirror"));
        await using var download = await opened.Get("http://127.0.0.1:8080/", Limits);
        Assert.Equal(6, download.Length);
        await Assert.ThrowsAsync<OutboundException>(() => opened.Get("http://10.0.0.1:8080/", Limits));
    }

    [Fact]
    public async Task On_real_sockets_it_is_the_same()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/";
        using var closed = new OutboundHttp(TimeProvider.System, []);
        await Assert.ThrowsAsync<OutboundException>(() => closed.Get(url, Limits));
        Assert.False(listener.Pending());
        using var open = new OutboundHttp(TimeProvider.System, [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")]);
        var served = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(FakeInternet.Ok("real")));
            var buffer = new byte[4096];
            while (await client.GetStream().ReadAsync(buffer) > 0) { }
        });
        await using (var download = await open.Get(url, Limits))
        using (var reader = new StreamReader(download.Body)) Assert.Equal("real", await reader.ReadToEndAsync());
        open.Dispose();
        await served;
    }

    public void Dispose() => _http.Dispose();

    private OutboundHttp Client(params IPNetwork[] opened) => new(_clock, opened, _net.Resolve, _net.Connect);

    private async Task<string> Read(string url, OutboundLimits? limits = null)
    {
        await using var download = await _http.Get(url, limits ?? Limits);
        var buffer = new byte[8192];
        var text = new StringBuilder();
        for (int n; (n = await download.Body.ReadAsync(buffer)) > 0;)
            if (text.Length < 10_000) text.Append(Encoding.ASCII.GetString(buffer, 0, n));
        return text.ToString();
    }

    private async Task<string> Refused(string url, OutboundLimits? limits = null) => (await Assert.ThrowsAsync<OutboundException>(() => Read(url, limits))).Message;

    private async Task<int> Posted(string answer)
    {
        _net.Server("8.8.8.8:80", answer);
        using var http = Client();
        var before = _net.Connected.Count;
        var status = await http.Post("http://good.example/hook", "{}"u8.ToArray(), "application/json", [("X-Signature", "t=1")], Limits);
        _net.Connected.RemoveRange(0, before);
        return status;
    }
}
