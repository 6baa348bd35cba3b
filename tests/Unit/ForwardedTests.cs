using System.Net;
using Cloud.Platform.Rest;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What proxies say of a request counts only where the operator trusts them.</summary>
public sealed class ForwardedTests
{
    private static readonly IPNetwork[] s_trusted = [IPNetwork.Parse("10.0.0.0/24"), IPNetwork.Parse("fd00::1/128")];

    private static (string Root, string? Peer) Believed(string? peer, IPNetwork[] trusted, params (string Name, string Value)[] headers)
    {
        var all = headers.ToDictionary(h => h.Name, h => h.Value, StringComparer.OrdinalIgnoreCase);
        var seen = Forwarded.Believed(new("GET", "/", [], name => all.GetValueOrDefault(name), Stream.Null, "http://inside:8774") { Peer = peer is null ? null : IPAddress.Parse(peer) }, trusted);
        return (seen.Root, seen.Peer?.ToString());
    }

    [Theory]
    [InlineData("10.0.0.5", "for=192.0.2.60;proto=https;host=cloud.example", "https://cloud.example", "192.0.2.60")]
    [InlineData("::ffff:10.0.0.5", "For=\"[2001:db8::7]:4711\"; Proto=HTTPS; Host=\"cloud.example:8443\"", "https://cloud.example:8443", "2001:db8::7")]
    [InlineData("fd00::1", "proto=https", "https://inside:8774", "fd00::1")]
    // Two proxies: the inner one is nearest and last.
    [InlineData("10.0.0.5", "for=192.0.2.60;proto=https;host=cloud.example, for=10.0.0.6;proto=http", "https://cloud.example", "192.0.2.60")]
    // What stands left of a stranger he wrote himself.
    [InlineData("10.0.0.5", "for=127.0.0.1;proto=https;host=evil.example, for=192.0.2.60;host=cloud.example", "http://cloud.example", "192.0.2.60")]
    [InlineData("10.0.0.5", "for=_hidden;proto=https", "https://inside:8774", null)]
    [InlineData("10.0.0.5", "for=192.0.2.60;proto=ftp;host=\"a b/c\"", "http://inside:8774", "192.0.2.60")]
    [InlineData("10.0.0.5", "nonsense", "http://inside:8774", "10.0.0.5")]
    // Who isn't trusted says nothing, and who isn't known neither.
    [InlineData("192.0.2.1", "for=127.0.0.1;proto=https;host=evil.example", "http://inside:8774", "192.0.2.1")]
    [InlineData(null, "for=127.0.0.1;proto=https;host=evil.example", "http://inside:8774", null)]
    public void The_standard_header(string? peer, string header, string root, string? from) => Assert.Equal((root, from), Believed(peer, s_trusted, ("Forwarded", header)));

    [Fact]
    public void The_older_headers_too()
    {
        Assert.Equal(("https://cloud.example", "192.0.2.60"), Believed("10.0.0.5", s_trusted, ("X-Forwarded-For", "192.0.2.60"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "cloud.example")));
        Assert.Equal(("https://inside:8774", "10.0.0.5"), Believed("10.0.0.5", s_trusted, ("X-Forwarded-Proto", "https")));
        // A list that begins with what a stranger sent; the one host is the nearest proxy's.
        Assert.Equal(("http://cloud.example", "192.0.2.60"), Believed("10.0.0.5", s_trusted, ("X-Forwarded-For", "127.0.0.1, 192.0.2.60"), ("X-Forwarded-Host", "cloud.example")));
    }

    [Fact]
    public void Nobody_is_believed_unless_named() => Assert.Equal(("http://inside:8774", "10.0.0.5"), Believed("10.0.0.5", [], ("Forwarded", "for=192.0.2.60;proto=https;host=cloud.example"), ("X-Forwarded-Host", "cloud.example")));
}
