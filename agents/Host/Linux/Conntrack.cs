using System.Net;

namespace Cloud.Agents.Host.Linux;

/// <summary>The kernel's table of connections.</summary>
public static class Conntrack
{
    /// <summary>Forgets connections to a floating address and those that left under it.</summary>
    public static Task ForgetFloating(ITool tool, IPAddress address, CancellationToken ct) =>
        Task.WhenAll(Delete(tool, ["-d", address.ToString()], ct), Delete(tool, ["-q", address.ToString()], ct));

    public static Task ForgetZone(ITool tool, int zone, CancellationToken ct) =>
        Delete(tool, ["-w", zone.ToString(null, null)], ct);

    private static async Task Delete(ITool tool, string[] which, CancellationToken ct)
    {
        var call = new ToolCall("conntrack", ["-D", .. which]);
        var result = await tool.Try(call, ct);
        // 1 also says that there was none.
        if (result.ExitCode != 0 && !result.Error.Contains("flow entries have been deleted", StringComparison.Ordinal))
            throw new HandlerFault($"{call} ended with {result.ExitCode}: {result.Error.Trim()}", retry: true);
    }
}
