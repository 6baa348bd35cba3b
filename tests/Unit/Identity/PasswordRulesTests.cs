using Cloud.Platform;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Identity;

/// <summary>What an operator demands of passwords, as Keystone's security_compliance options do.</summary>
public sealed class PasswordRulesTests
{
    private static async Task<TestCloud> With(PasswordRules rules)
    {
        await using var plain = await TestCloud.Start();
        return plain.Copy(settings: plain.Services.Settings with { Passwords = rules });
    }

    private static async Task<int> Try(TestCloud cloud, string password) => (await cloud.Login("demo", null, password)).Status;

    private static async Task<int> Change(TestCloud cloud, string old, string password) =>
        (await cloud.Raw("POST", $"/identity/v3/users/{await cloud.IdOf("users", "demo")}/password", null, $$$"""{"user":{"original_password":"{{{old}}}","password":"{{{password}}}"}}""")).Status;

    private static async Task<Answer> Reset(TestCloud cloud, object user) => await cloud.Send("PATCH", "/identity/v3/users/" + await cloud.IdOf("users", "demo"), new { user });

    [Fact]
    public async Task Too_many_wrong_passwords_lock_the_user_out_for_a_while()
    {
        await using var cloud = await With(new() { LockoutFailureAttempts = 3, LockoutDuration = 60 });
        for (var i = 0; i < 2; i++) Assert.Equal(401, await Try(cloud, "wrong"));
        Assert.Equal(201, await Try(cloud, "demo-secret"));
        for (var i = 0; i < 3; i++) Assert.Equal(401, await Try(cloud, "wrong"));
        Assert.Equal(401, await Try(cloud, "demo-secret"));
        Assert.Equal(401, await Change(cloud, "demo-secret", "other-secret"));
        cloud.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(401, await Try(cloud, "wrong"));
        Assert.Equal(201, await Try(cloud, "demo-secret"));
        await Reset(cloud, new { options = new { ignore_lockout_failure_attempts = true } });
        for (var i = 0; i < 4; i++) Assert.Equal(401, await Try(cloud, "wrong"));
        Assert.Equal(201, await Try(cloud, "demo-secret"));
    }

    [Fact]
    public async Task A_user_cant_go_back_to_his_last_passwords_and_an_administrator_may()
    {
        await using var cloud = await With(new() { UniqueLastPasswordCount = 2 });
        Assert.Equal(400, await Change(cloud, "demo-secret", "demo-secret"));
        Assert.Equal(204, await Change(cloud, "demo-secret", "second"));
        Assert.Equal(400, await Change(cloud, "second", "demo-secret"));
        Assert.Equal(400, await Change(cloud, "second", "second"));
        Assert.Equal(204, await Change(cloud, "second", "third"));
        Assert.Equal(204, await Change(cloud, "third", "demo-secret"));
        Assert.Equal(200, (await Reset(cloud, new { password = "third" })).Status);
    }

    [Fact]
    public async Task Passwords_are_as_the_rule_says_and_the_user_hears_it()
    {
        await using var cloud = await With(new() { PasswordRegex = @"^(?=.*\d).{7,}$", PasswordRegexDescription = "seven characters, one a digit" });
        Assert.Equal(400, await Change(cloud, "demo-secret", "no-digit-in-it"));
        Assert.Equal(204, await Change(cloud, "demo-secret", "a-digit-1"));
        var answer = await Reset(cloud, new { password = "short" });
        Assert.Equal(400, answer.Status);
        Assert.Contains("seven characters", answer.Text, StringComparison.Ordinal);
        const string Config = "/identity/v3/domains/default/config/security_compliance";
        Assert.Contains("seven characters", (await cloud.Send("GET", Config)).Text, StringComparison.Ordinal);
        Assert.Equal(@"^(?=.*\d).{7,}$", (await cloud.Send("GET", Config + "/password_regex")).Body.GetProperty("config").GetProperty("password_regex").GetString());
        Assert.Equal((403, 403), ((await cloud.Send("GET", Config + "/lockout_duration")).Status, (await cloud.Send("GET", Config.Replace("default", "other", StringComparison.Ordinal))).Status));
    }

    [Fact]
    public async Task A_password_has_its_time()
    {
        await using var cloud = await With(new() { PasswordExpiresDays = 10, MinimumPasswordAge = 1 });
        Assert.Equal(204, await Change(cloud, "demo-secret", "second"));
        Assert.Equal(400, await Change(cloud, "second", "third"));
        Assert.StartsWith("2030-01-11", (await cloud.Login("demo", null, "second")).Body.GetProperty("token").GetProperty("user").GetProperty("password_expires_at").GetString(), StringComparison.Ordinal);
        cloud.Clock.Advance(TimeSpan.FromDays(11));
        cloud.Forget();
        Assert.Contains("expired", (await cloud.Login("demo", null, "second")).Text, StringComparison.Ordinal);
        Assert.Equal(401, await Try(cloud, "wrong"));
        Assert.Equal(204, await Change(cloud, "second", "third"));
        Assert.Equal(201, await Try(cloud, "third"));
        cloud.Clock.Advance(TimeSpan.FromDays(11));
        cloud.Forget();
        await Reset(cloud, new { options = new { ignore_password_expiry = true } });
        Assert.Equal(201, await Try(cloud, "third"));
    }

    [Fact]
    public async Task What_an_administrator_sets_is_changed_first_and_who_stays_away_is_out()
    {
        await using var cloud = await With(new() { ChangePasswordUponFirstUse = true, DisableUserAccountDaysInactive = 30 });
        Assert.Equal(201, await Try(cloud, "demo-secret"));
        await Reset(cloud, new { password = "given" });
        Assert.Equal(401, await Try(cloud, "given"));
        Assert.Equal(204, await Change(cloud, "given", "own"));
        Assert.Equal(201, await Try(cloud, "own"));
        cloud.Clock.Advance(TimeSpan.FromDays(29));
        Assert.Equal(201, await Try(cloud, "own"));
        cloud.Clock.Advance(TimeSpan.FromDays(31));
        Assert.Equal(401, await Try(cloud, "own"));
    }
}
