using System.Text.Json;
using Cloud.Agents.Contract;
using Cloud.Compute;
using Cloud.Network;

namespace Cloud.Tests.Kit;

public sealed partial class World
{
    /// <summary>Hosts hold exactly what the rows say, in the state the rows say.</summary>
    private async Task Held()
    {
        foreach (var host in _cloud.Hosts)
        {
            var wanted = await Wanted(host.Name);
            var there = host.World;
            foreach (var (key, command) in wanted)
                if (!there.TryGetValue(key, out var held)) Say(Wrong.Host, $"{host.Name} lacks {key}");
                else if (command is not null && Text(command) != Text(held)) Say(Wrong.Host, $"{host.Name} {key} is {Text(held)}, should be {Text(command)}");
            // What a host knows of groups is no burden, and not said to be gone.
            foreach (var key in there.Keys.Where(k => !wanted.ContainsKey(k) && !k.StartsWith("group/", StringComparison.Ordinal))) Say(Wrong.Host, $"{host.Name} still has {key}");
        }
    }

    /// <summary>By key; null where only existence is sure, because a change was given up.</summary>
    private async Task<Dictionary<string, Command?>> Wanted(string host)
    {
        var wanted = new Dictionary<string, Command?>();
        foreach (var s in _servers.Where(s => s.Host == host))
        {
            wanted.Add($"domain/{s.Id}", s.Status == "ERROR" ? null : (await ServerSpecs.Ensure(_cloud.Services, s)).Command);
            if (s.ImageId is not null) wanted.Add($"disk/{s.Id}", null);
        }
        foreach (var v in _volumes.Where(v => v.Host == host)) wanted.Add($"disk/{v.Id}", null);
        foreach (var v in _volumes.Where(v => v.Host == host && v.Status != "error_extending"))
            if (_cloud.Hosts.First(h => h.Name == host).World.TryGetValue($"disk/{v.Id}", out var disk)) Expect(Bytes(disk) == v.Bytes, Wrong.Host, $"disk of volume {v.Id} has {Bytes(disk)} bytes, should have {v.Bytes}");
        foreach (var s in _snapshots.Where(s => s.Host == host)) wanted.Add($"disk/{s.Id}", null);
        foreach (var p in _ports.Where(p => p.Host == host && Ports.Plugged(p))) wanted.Add($"port/{p.Id}", (await Specs.Ensure(_cloud.Services, p)).Command);
        foreach (var c in (await Specs.PortsOn(_cloud.Services, host)).Where(c => c.Command is EnsureGroup)) wanted.Add(c.Command.Key, c.Command);
        foreach (var r in _routers.Where(r => r.Host == host)) wanted.Add($"router/{r.Id}", r.Status == "ERROR" ? null : (await Specs.Ensure(_cloud.Services, r)).Command);
        foreach (var i in _cached.Where(i => i.Status == "cached" && i.Hosts.Contains(host))) wanted.Add($"image/{i.Id}", (await Image.Facade.Get(_cloud.Services, i.Id))?.Command);
        return wanted;
    }

    private static long Bytes(Command disk) => disk switch { EnsureDisk d => d.Bytes, CopyDisk c => c.Bytes, _ => -1 };

    // Revisions of networks move on without anything that concerns hosts; a router needs of its networks only what they are.
    private static string Text(Command command) => JsonSerializer.Serialize(command switch
    {
        EnsurePort p => p with { Network = p.Network with { Revision = 0 } },
        EnsureRouter r => new EnsureRouter(r.Router with { External = r.Router.External is { } e ? e with { Network = Bare(e.Network) } : null, Interfaces = [.. r.Router.Interfaces.Select(i => i with { Network = Bare(i.Network) })] }),
        // A new name is told with the next change: what a guest is called at its host means nothing to anybody.
        EnsureDomain d => d with { Domain = d.Domain with { Name = "" } },
        _ => command,
    }, ContractJson.Default.Command);

    private static NetworkSpec Bare(NetworkSpec n) => n with { Revision = 0, Subnets = [], Peers = [] };

    /// <summary>Nothing is under way, nothing was given up, nothing failed in a way nobody thought of.</summary>
    private void Quiet()
    {
        foreach (var m in _cloud.Bus.All) Say(Wrong.Queue, $"{m.Queue} still has {m.Id}");
        foreach (var d in _cloud.Bus.Dead) Say(Wrong.Queue, $"dead letter {d.Message.Queue} {d.Message.Id}: {d.Reason}");
        foreach (var e in _cloud.Errors.Where(e => !e.Contains(nameof(Death), StringComparison.Ordinal) && !e.Contains(nameof(Injected), StringComparison.Ordinal))) Say(Wrong.Error, e);
    }

    /// <summary>Each resource's events tell its revisions one by one.</summary>
    private void Told()
    {
        foreach (var subject in _cloud.Events.DistinctBy(e => e.Id).Where(e => e.Revision > 0).GroupBy(e => e.Subject))
        {
            long? last = null;
            foreach (var e in subject)
            {
                var expected = last is null ? e.Revision : last + 1;
                last = e.Revision;
                if (e.Revision != expected) { Say(Wrong.Event, $"{e.Type} {e.Subject} has revision {e.Revision}, expected {expected}"); break; }
            }
        }
    }
}

/// <summary>A failure that a test put there.</summary>
public sealed class Injected(string text) : Exception(text);

/// <summary>One event as it arrived. Alerts have revision 0.</summary>
public sealed record SeenEvent(string Id, string Type, string Subject, long Revision)
{
    public static SeenEvent Read(ReadOnlyMemory<byte> json)
    {
        using var e = JsonDocument.Parse(json);
        var r = e.RootElement;
        return new(r.GetProperty("id").GetString()!, r.GetProperty("type").GetString()!, r.GetProperty("subject").GetString()!, r.GetProperty("data").TryGetProperty("revision", out var n) ? n.GetInt64() : 0);
    }
}
