using System.Net;
using Cloud.Platform;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What an operator sets in a file.</summary>
public sealed class SettingsFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), "cs-settings-" + Guid.NewGuid().ToString("N"));

    public void Dispose() => File.Delete(_path);

    private Settings Read(string text)
    {
        File.WriteAllText(_path, text);
        return SettingsFile.Apply(_path, new Settings { Region = "here" });
    }

    [Theory]
    [InlineData("{}", false)]
    [InlineData("""{"enforce_scope":true}""", true)]
    public void Scope_is_enforced_where_it_says_so(string text, bool enforced) => Assert.Equal(enforced, Read(text).EnforceScope);

    [Fact]
    public void What_it_says_is_set_and_all_else_stays()
    {
        var settings = Read("""{"outbound_opened":["10.1.0.0/16"],"security_compliance":{"lockout_failure_attempts":5,"password_regex":"^.{7,}$"},"openid":{"https://id":{"audience":["cloud"]}}}""");
        Assert.Equal(["cloud"], settings.OpenId["https://id"].Audience);
        Assert.Equal(("here", IPNetwork.Parse("10.1.0.0/16"), 5, 1800), (settings.Region, Assert.Single(settings.OutboundOpened), settings.Passwords.LockoutFailureAttempts, settings.Passwords.LockoutDuration));
        var proxies = Read("""{"trusted_proxies":["10.1.0.0/16","10.2.0.1","fd00::1"],"allowed_origins":["https://dashboard.example","http://localhost:8080"]}""");
        Assert.Equal(["10.1.0.0/16", "10.2.0.1/32", "fd00::1/128"], proxies.TrustedProxies.Select(p => p.ToString()));
        Assert.Equal(["https://dashboard.example", "http://localhost:8080"], proxies.AllowedOrigins);
        Assert.Equal((60, 120), (settings.HostSilence.TotalSeconds, Read("""{"host_silence_seconds":120}""").HostSilence.TotalSeconds));
        Assert.Equal(settings.Region, SettingsFile.Apply(null, settings).Region);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"lockout":5}""")]
    [InlineData("""{"security_compliance":{"lockout":5}}""")]
    [InlineData("""{"security_compliance":{"password_regex":"("}}""")]
    [InlineData("""{"outbound_opened":["here"]}""")]
    [InlineData("""{"trusted_proxies":["here"]}""")]
    [InlineData("""{"allowed_origins":["dashboard.example"]}""")]
    [InlineData("""{"allowed_origins":["https://dashboard.example/page"]}""")]
    [InlineData("""{"openid":{"https://id":{}}}""")]
    [InlineData("""{"host_silence_seconds":9}""")]
    [InlineData("""{"openid":{"https://id":{"audience":[]}}}""")]
    public void What_makes_no_sense_stops_the_start(string text) => Assert.StartsWith(_path, Assert.Throws<ArgumentException>(() => Read(text)).Message, StringComparison.Ordinal);
}
