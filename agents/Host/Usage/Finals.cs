using System.Text.Json;
using Cloud.Agents.Contract;

namespace Cloud.Agents.Host.Usage;

/// <summary>Last readings of counters that are gone, on disk until the control plane has them.</summary>
public sealed class Finals(INotes notes)
{
    private const string Prefix = "traffic/";

    public void Keep(IEnumerable<TrafficSample> samples)
    {
        foreach (var sample in samples)
            notes.Note(Key(sample), JsonSerializer.Serialize(sample, ContractJson.Default.TrafficSample));
    }

    public IReadOnlyList<TrafficSample> All() => [.. notes.Notes(Prefix).Select(n => JsonSerializer.Deserialize(n.Value, ContractJson.Default.TrafficSample)!)];

    public void Drop(IEnumerable<TrafficSample> samples)
    {
        foreach (var sample in samples)
            notes.Note(Key(sample), null);
    }

    private static string Key(TrafficSample s) => $"{Prefix}{s.FloatingIpId}.{s.Epoch}";
}
