using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Cloud.Agents.Contract;

namespace Cloud.Soak;

/// <summary>What one cloud has on this machine: not what its agent remembers, but what processes, kernel and disk show.</summary>
/// <param name="data">The cloud's directory.</param>
public sealed partial class Machine(string data)
{
    private readonly string _agent = Path.Combine(data, "host"), _libvirt = Path.Combine(data, "libvirt");
    // As in infra/cli/common.sh: what this cloud makes in the kernel is marked with it.
    private readonly string _owner = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.Combine(data, "host"))))[..12];

    /// <summary>Guests by name, with the ids of their processes.</summary>
    public IReadOnlyDictionary<string, int> Guests() => Processes().SelectMany(p => Guest().Matches(p.Command).Select(m => (m.Groups[1].Value, p.Id))).ToDictionary();

    /// <summary>Each thing that a guest or a network is made of, by kind and name.</summary>
    public async Task<IReadOnlySet<string>> Things()
    {
        var rules = await Run("nft", "list", "table", "bridge", $"cs_{_owner}");
        return new HashSet<string>([
            .. Guests().Keys.Select(g => $"qemu {g}"),
            .. Domains().SelectMany(d => DisksOf(d.Xml).Select(x => $"attachment of {x} to {d.Name}").Append($"domain {d.Name}")),
            .. (await Interfaces()).Where(a => !a.StartsWith("public/", StringComparison.Ordinal)).Select(a => $"interface of {a}"),
            .. Mounts().Where(m => m.StartsWith(_agent + "/networks/ns/", StringComparison.Ordinal)).Select(m => $"namespace {Path.GetFileName(m)}"),
            .. Processes().SelectMany(p => Dhcp().Matches(p.Command)).Select(m => $"dnsmasq {m.Groups[1]}"),
            .. Tap().Matches(rules).Select(m => $"rules of {m.Value}"),
            .. Members().Matches(rules).Select(m => Group(m.Groups[1].Value, m.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))),
            .. Directory.EnumerateFiles(Path.Combine(_agent, "disks")).Select(f => $"disk {Path.GetFileNameWithoutExtension(f)}"),
        ], StringComparer.Ordinal);
    }

    /// <summary>What the agent's wishes should have brought about, in the same words.</summary>
    public static IReadOnlySet<string> Wished(IReadOnlyCollection<Command> wishes)
    {
        // A group that no port's rules name any more is remembered for a while, and nothing but that.
        var things = wishes.OfType<EnsurePort>().SelectMany(p => p.Port.Rules).Select(r => r.RemoteGroup).OfType<string>().Distinct()
            .Select(g => Group(Names.Short(g), wishes.OfType<EnsureGroup>().FirstOrDefault(w => w.GroupId == g)?.Addresses ?? [])).ToHashSet(StringComparer.Ordinal);
        foreach (var wish in wishes.Where(w => w is not EnsureGroup))
            things.UnionWith(wish switch
            {
                EnsureDomain { Domain: var d } => [$"domain cs-{d.ServerId}", .. d.Disks.Select(x => $"attachment of {x.DiskId} to cs-{d.ServerId}"), .. d.Power == PowerState.Off ? Array.Empty<string>() : [$"qemu cs-{d.ServerId}"]],
                EnsurePort { Network: var n, Port: var p } =>
                    [$"interface of port/{p.PortId}", $"rules of {Names.Tap(p.PortId)}", $"interface of network/{n.NetworkId}", $"namespace {Names.DhcpNamespace(n.NetworkId)}",
                    .. n.Subnets.Any(s => s.DhcpAddress is not null) ? [$"dnsmasq {Names.DhcpNamespace(n.NetworkId)}"] : Array.Empty<string>()],
                EnsureRouter { Router: var r } =>
                    [$"namespace {Names.RouterNamespace(r.RouterId)}", .. r.Interfaces.Select(i => i.Network).Concat(r.External is { } e ? [e.Network] : []).SelectMany(n => new[] { $"interface of router/{r.RouterId}", $"interface of network/{n.NetworkId}" })],
                _ => [wish.Key.Replace('/', ' ')],
            });
        return things;
    }

    /// <summary>Anything at all that is still at work for this cloud.</summary>
    public async Task<IReadOnlyList<string>> AtWork() =>
    [
        .. Processes().Select(p => "process " + p.Command.Replace('\0', ' ')),
        .. (await Interfaces()).Select(a => "interface of " + a),
        .. Mounts().Select(m => "mount " + m),
        .. (await Run("nft", "list", "tables")).Split('\n').Where(l => l.EndsWith("cs_" + _owner, StringComparison.Ordinal)),
    ];

    // All but ourselves, who name the directory too.
    private IEnumerable<(int Id, string Command)> Processes() => Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), out var id) ? id : 0).Where(id => id != 0 && id != Environment.ProcessId)
        .Select(id => (id, CommandLine(id))).Where(p => p.Item2.Contains(data + "/", StringComparison.Ordinal) && !p.Item2.Contains("Cloud.Soak", StringComparison.Ordinal));

    private static string Group(string id, IEnumerable<string> members) => $"group {id} with {string.Join(' ', members.Order(StringComparer.Ordinal))}";

    /// <summary>As libvirtd keeps them, and as it runs them.</summary>
    private IEnumerable<(string Name, string Xml)> Domains() => new[] { "etc/qemu", "run/qemu" }.Select(f => Path.Combine(_libvirt, f)).Where(Directory.Exists)
        .SelectMany(f => Directory.EnumerateFiles(f, "cs-*.xml")).Select(f => (Path.GetFileNameWithoutExtension(f), File.ReadAllText(f)));

    private static IEnumerable<string> DisksOf(string xml) => Disk().Matches(xml).Select(m => m.Groups[1].Value);

    /// <summary>Kind and id of what each of our interfaces belongs to.</summary>
    private async Task<IEnumerable<string>> Interfaces() => (await Run("ip", "-o", "link")).Split('\n').Select(l => l.Split($" alias cs:{_owner}:")).Where(p => p.Length == 2).Select(p => p[1].Trim());

    private IEnumerable<string> Mounts() => File.ReadLines("/proc/self/mountinfo").Select(l => l.Split(' ')[4]).Where(m => m.StartsWith(data + "/", StringComparison.Ordinal));

    private static string CommandLine(int process)
    {
        try { return File.ReadAllText($"/proc/{process}/cmdline"); }
        catch (IOException) { return ""; } // it ended meanwhile
    }

    private static async Task<string> Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await errors;
        await process.WaitForExitAsync();
        return text;
    }

    [GeneratedRegex(@"\0guest=(cs-[0-9a-f-]+)")]
    private static partial Regex Guest();

    [GeneratedRegex(@"dnsmasq\0.*/(csd-[0-9a-f]+)/dnsmasq\.conf")]
    private static partial Regex Dhcp();

    [GeneratedRegex(@"/disks/([0-9a-f-]{36})")]
    private static partial Regex Disk();

    [GeneratedRegex(@"set g4-([0-9a-f]{12}) \{\s+type ipv4_addr\s+(?:elements = \{([^}]*)\})?")]
    private static partial Regex Members();

    [GeneratedRegex("\\bcst[0-9a-f]{12}\\b")]
    private static partial Regex Tap();
}
