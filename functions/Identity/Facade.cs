using Cloud.Platform;

namespace Cloud.Identity;

/// <summary>What other services ask of identity.</summary>
public static class Facade
{
    /// <summary>False when the project is gone or disabled: work that was accepted for it must stop.</summary>
    public static async ValueTask<bool> Lives(Services s, string projectId) => (await Directory.Projects.Get(s.Store, "", projectId))?.Item.Enabled == true;
}
