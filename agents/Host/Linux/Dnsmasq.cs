using System.Text;

namespace Cloud.Agents.Host.Linux;

/// <summary>One dnsmasq in a namespace, with its files in a folder of its own.</summary>
/// <param name="tool">Runs programs in the namespace.</param>
public sealed class Dnsmasq(string folder, ITool tool)
{
    public const string Port = "dhcp";
    private readonly Daemon daemon = new(Path.Combine(folder, "dnsmasq.pid"), Path.Combine(folder, "dnsmasq.conf"));

    /// <summary>Hosts that get an address, re-read without a restart.</summary>
    public Word HostsFile => Path.Combine(folder, "hosts");

    /// <summary>Names it answers for, in the form of /etc/hosts; re-read without a restart.</summary>
    public Word NamesFile => Path.Combine(folder, "names");

    /// <summary>Lines that each configuration begins with. Settings of the machine's own dnsmasq, if there is one, play no part.</summary>
    public Script Common() => new Script()
        .Add($"no-hosts\nno-resolv\nno-poll\nleasefile-ro\nbind-interfaces\nexcept-interface=lo")
        .Add($"pid-file={Path.Combine(folder, "dnsmasq.pid")}\nlog-facility=/dev/null\nuser={User()}\ngroup=nogroup");

    public bool IsRunning => daemon.Pid is not null;

    /// <summary>Runs with exactly these files: starts, restarts or reloads as needed. A reload loses no request.</summary>
    public async Task Ensure(Script configuration, Script hosts, Script names, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        var reload = Write(HostsFile.Text, hosts) | Write(NamesFile.Text, names);
        var restart = Write(Path.Combine(folder, "dnsmasq.conf"), configuration);
        if (restart)
            await daemon.Stop(ct);
        if (!IsRunning)
            await tool.Run("dnsmasq", [$"--conf-file={Path.Combine(folder, "dnsmasq.conf")}"], ct);
        else if (reload)
            daemon.Reload();
    }

    public async Task Remove(CancellationToken ct)
    {
        await daemon.Stop(ct);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Nobody, when nobody can reach the folder: files are re-read after it gave up root.</summary>
    private Word User()
    {
        for (var at = folder; at is not null; at = Path.GetDirectoryName(at))
            if (Directory.Exists(at) && !File.GetUnixFileMode(at).HasFlag(UnixFileMode.OtherExecute))
                return "root";
        return "nobody";
    }

    /// <returns>Whether the file is another now.</returns>
    private static bool Write(string file, Script script)
    {
        var text = script.ToString();
        if (File.Exists(file) && File.ReadAllText(file) == text)
            return false;
        var part = file + ".part";
        File.WriteAllText(part, text, Encoding.ASCII);
        File.SetUnixFileMode(part, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.Move(part, file, overwrite: true);
        return true;
    }
}
