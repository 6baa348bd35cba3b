using System.Text.RegularExpressions;
using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>Giving a user another password, as the operator's rules want it.</summary>
internal static class NewPasswords
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <param name="own">The user himself changes it: an administrator is free of what keeps users from going back to an old one.</param>
    /// <exception cref="Fault">400.</exception>
    public static async ValueTask<User> Set(Call c, User user, string password, bool own)
    {
        var rules = c.Services.Settings.Passwords;
        if (rules.PasswordRegex is { } regex && !Regex.IsMatch(password, regex, RegexOptions.CultureInvariant, Patience))
            throw Fault.BadRequest($"The password does not match the requirements: {rules.PasswordRegexDescription ?? regex}.");
        if (own && user.PasswordSetAt?.AddDays(rules.MinimumPasswordAge) > c.Now) throw Fault.BadRequest($"Cannot change password before minimum age of {rules.MinimumPasswordAge} days is met.");
        string?[] last = [.. new[] { user.PasswordHash }.Concat(user.OldPasswords).Where(h => h is not null).Distinct().Take(rules.UniqueLastPasswordCount)];
        if (own)
            foreach (var hash in last)
                if (await Passwords.Verify(password, hash)) throw Fault.BadRequest($"Changed password cannot be identical to the last password: the last {rules.UniqueLastPasswordCount} must all be different.");
        var mustChange = !own && rules.ChangePasswordUponFirstUse && !Options.IsSet(user.Options, "ignore_change_password_upon_first_use");
        return user with
        {
            PasswordHash = await Passwords.Hash(password),
            Password = null,
            Era = user.Era + 1,
            PasswordSetAt = c.Now,
            PasswordExpiresAt = mustChange ? c.Now : rules.PasswordExpiresDays > 0 ? c.Now.AddDays(rules.PasswordExpiresDays) : null,
            OldPasswords = last!,
        };
    }

    /// <summary>Whether it is of no use before it is changed.</summary>
    public static bool IsExpired(User user, DateTimeOffset now) => user.PasswordExpiresAt <= now && !Options.IsSet(user.Options, "ignore_password_expiry");
}
