namespace Cloud.Platform;

/// <summary>What an operator demands of users and their passwords; nothing by itself. Named and meant as Keystone's security_compliance options.</summary>
public sealed record PasswordRules
{
    /// <summary>Wrong passwords in a row after which a user is locked out; 0 for never.</summary>
    public int LockoutFailureAttempts { get; init; }
    /// <summary>Seconds.</summary>
    public int LockoutDuration { get; init; } = 1800;
    /// <summary>How many of the last passwords, the present one included, may not be chosen again.</summary>
    public int UniqueLastPasswordCount { get; init; }
    /// <summary>Days before a user may change it again; 0 for at once.</summary>
    public int MinimumPasswordAge { get; init; }
    /// <summary>Days after which it must be changed; 0 for never.</summary>
    public int PasswordExpiresDays { get; init; }
    /// <summary>What an administrator has set must be changed before it is of any use.</summary>
    public bool ChangePasswordUponFirstUse { get; init; }
    /// <summary>Days without a login after which a user counts as disabled; 0 for never.</summary>
    public int DisableUserAccountDaysInactive { get; init; }
    public string? PasswordRegex { get; init; }
    /// <summary>The same for people.</summary>
    public string? PasswordRegexDescription { get; init; }
}
