using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Platform.State;

namespace Cloud.Identity;

/// <summary>What is remembered of a user's attempts to log in, and what the operator's rules make of it. Apart from the user's row, which changes only when the user does.</summary>
internal static class Logins
{
    private const string Partition = "logins";

    /// <param name="Failures">Wrong proofs in a row.</param>
    /// <param name="Code">The window of the last one-time code that was used.</param>
    private sealed record Log(int Failures = 0, DateTimeOffset FailedAt = default, DateTimeOffset? SeenAt = null, long Code = 0);

    /// <summary>Whether this is the password of a user who may log in now.</summary>
    public static async ValueTask<bool> Check(Call c, User? user, string password)
    {
        // The hash is computed for strangers as well, so that time tells nothing.
        var right = await Passwords.Verify(password, user?.PasswordHash);
        return user is not null && await Passes(c, user, right);
    }

    /// <summary>Whether a user who has given a right or wrong proof may log in; the attempt counts.</summary>
    public static async ValueTask<bool> Passes(Call c, User user, bool right)
    {
        var rules = c.Services.Settings.Passwords;
        if (rules is { LockoutFailureAttempts: 0, DisableUserAccountDaysInactive: 0 }) return right && user.Enabled;
        var log = await Read(c, user.Id) is { } row ? Json.Read<Log>(row.Body) : new();
        var locks = rules.LockoutFailureAttempts > 0 && !Options.IsSet(user.Options, "ignore_lockout_failure_attempts");
        var over = log.FailedAt.AddSeconds(rules.LockoutDuration) <= c.Now;
        if (locks && log.Failures >= rules.LockoutFailureAttempts && !over) return false;
        if (!right)
        {
            if (locks) await Change(c, user.Id, l => l with { Failures = over ? 1 : l.Failures + 1, FailedAt = c.Now });
            return false;
        }
        if (!user.Enabled || IsInactive(rules, user, log, c.Now)) return false;
        await Change(c, user.Id, l => l with { Failures = 0, SeenAt = c.Now });
        return true;
    }

    /// <summary>Takes a one-time code's window; false when it, or a later one, was used.</summary>
    public static async ValueTask<bool> TakeCode(Call c, string user, long window)
    {
        var taken = false;
        await Change(c, user, l => (taken = window > l.Code) ? l with { Code = window } : l);
        return taken;
    }

    public static ValueTask Forget(Call c, string user) => c.Store.Commit(Partition, [new Op.Delete(Keys.Safe(user))]);

    private static bool IsInactive(PasswordRules rules, User user, Log log, DateTimeOffset now) =>
        rules.DisableUserAccountDaysInactive > 0 && !Options.IsSet(user.Options, "ignore_user_inactivity") && (log.SeenAt ?? user.CreatedAt).AddDays(rules.DisableUserAccountDaysInactive) < now;

    private static ValueTask<Row?> Read(Call c, string user) => c.Store.Get(Partition, Keys.Safe(user));

    private static async ValueTask Change(Call c, string user, Func<Log, Log> change)
    {
        while (true)
        {
            var row = await Read(c, user);
            var log = row is null ? new() : Json.Read<Log>(row.Body);
            if (change(log) is var next && next == log) return;
            try
            {
                await c.Store.Commit(Partition, [row is null ? new Op.Insert(Keys.Safe(user), Json.Write(next)) : new Op.Replace(row.Key, Json.Write(next), row.ETag)]);
                return;
            }
            catch (ConflictException) { /* another attempt at the same moment: both count */ }
        }
    }
}
