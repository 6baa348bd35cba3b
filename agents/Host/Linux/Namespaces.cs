namespace Cloud.Agents.Host.Linux;

/// <summary>
/// Network namespaces of ours, each held by a mount on a file in the agent's folder: agents that share a machine never meet.
/// <c>nsenter --net=FILE</c> shows one to an operator.
/// </summary>
public sealed class Namespaces(HostOptions options, ITool tool)
{
    private string Folder => Path.Combine(options.Networks, "ns");

    public string File(string name) => Path.Combine(Folder, name);

    /// <summary>Runs programs inside.</summary>
    public ITool In(string name) => new NamespaceTool(tool, File(name));

    public bool Exists(string name) => Mounts().Contains(File(name));

    /// <summary>Names of all that were made and not removed, whether or not a reboot has taken them.</summary>
    public IEnumerable<string> All() => Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)!)] : [];

    /// <param name="settings">Of a new one, e.g. (net/ipv4/ip_forward, 1).</param>
    /// <returns>True when it was made now, and so is empty.</returns>
    public bool Ensure(string name, params IEnumerable<(string Key, string Value)> settings)
    {
        if (Exists(name))
            return false;
        Directory.CreateDirectory(Folder);
        System.IO.File.Create(File(name)).Dispose();
        OnThread(() =>
        {
            Native.Check(Native.unshare(Native.NewNet), "unshare");
            foreach (var (key, value) in settings)
                System.IO.File.WriteAllText(Path.Combine("/proc/sys", key), value);
            Native.Check(Native.mount("/proc/thread-self/ns/net", File(name), 0, Native.Bind, 0), $"mount {File(name)}");
            return 0;
        });
        return true;
    }

    /// <summary>It goes when the last process in it ends; so do links in it.</summary>
    public void Remove(string name)
    {
        if (Exists(name))
            Native.Check(Native.umount2(File(name), Native.Detach), $"umount {File(name)}");
        System.IO.File.Delete(File(name));
    }

    /// <summary>Runs code inside, on a thread of its own; a socket that it opens stays inside.</summary>
    public T Run<T>(string name, Func<T> act) => Run(() => System.IO.File.OpenHandle(File(name)), act);

    /// <inheritdoc cref="Run{T}(string, Func{T})"/>
    internal static T Run<T>(Func<Microsoft.Win32.SafeHandles.SafeFileHandle> open, Func<T> act) => OnThread(() =>
    {
        using (var file = open())
            Native.Check(Native.setns(file, Native.NewNet), "setns");
        return act();
    });

    private static T OnThread<T>(Func<T> act)
    {
        T result = default!;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failed = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = act();
            }
            catch (Exception e)
            {
                failed = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failed?.Throw();
        return result;
    }

    /// <summary>Mount points of namespaces. Spaces and the like are octal there.</summary>
    private static HashSet<string> Mounts() =>
        [.. System.IO.File.ReadLines("/proc/self/mountinfo").Where(l => l.Contains(" - nsfs ", StringComparison.Ordinal))
            .Select(l => l.Split(' ')[4].Replace("\\040", " ", StringComparison.Ordinal))];
}

/// <summary>Runs programs inside a namespace.</summary>
/// <param name="file">Where the namespace is mounted.</param>
public sealed class NamespaceTool(ITool tool, string file) : ITool
{
    public Task<ToolResult> Try(ToolCall call, CancellationToken ct) =>
        tool.Try(call with { Program = "nsenter", Arguments = [$"--net={file}", "--", call.Program, .. call.Arguments] }, ct);
}
