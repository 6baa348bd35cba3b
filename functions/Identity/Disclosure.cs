using Cloud.Platform.Rest;

namespace Cloud.Identity;

/// <summary>Keystone tells who has no right whether some things are there. Nobody learns it here, unless the operator wants Keystone's very answers (<see cref="Platform.Settings.TellsWhatExists"/>).</summary>
internal static class Disclosure
{
    /// <summary>The same route; <paramref name="answer"/> says first what Keystone says before it asks for rights.</summary>
    public static Route Told(this Route route, Func<Call, ValueTask> answer) => route with
    {
        Seen = c => c.Services.Settings.TellsWhatExists ? answer(c) : route.Seen?.Invoke(c) ?? ValueTask.CompletedTask,
        Run = async c =>
        {
            if (c.Services.Settings.TellsWhatExists) await answer(c);
            return await route.Run(c);
        },
    };
}
