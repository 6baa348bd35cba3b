using Cloud.Platform;
using Cloud.Platform.State;

namespace Cloud.Telemetry;

/// <summary>What a fresh service has: Gnocchi's archive policies, and the policies, rules and resource types that Ceilometer makes. Made once: what an operator deletes stays deleted.</summary>
internal static class Standard
{
    private const string Mark = "standard|1";
    private static readonly long Minute = 60 * Times.Second, Hour = 60 * Minute, Day = 24 * Hour;

    public static async ValueTask Make(Services s)
    {
        if (await s.Store.Get(Definitions.Partition, Mark) is not null) return;
        List<Op> ops = [.. Policies().Select(p => new Op.Insert(Definitions.Policy(p.Name), Json.Write(p))), .. Rules().Select(r => new Op.Insert(Definitions.Rule(r.Name), Json.Write(r))), .. Types().Select(t => new Op.Insert(Definitions.Type(t.Name), Json.Write(t))), new Op.Insert(Mark, ReadOnlyMemory<byte>.Empty)];
        try { await s.Store.Commit(Definitions.Partition, ops); }
        catch (ConflictException) { /* another process was first */ }
    }

    private static Resolution For(long granularity, long timespan) => new(granularity, timespan / granularity, timespan);

    private static IEnumerable<ArchivePolicy> Policies()
    {
        Resolution[] low = [For(5 * Minute, 30 * Day)], high = [For(Times.Second, Hour), For(Minute, Day), For(Hour, 365 * Day)];
        yield return new() { Name = "bool", BackWindow = 3600, Definition = [For(Times.Second, 365 * Day)], AggregationMethods = ["last"] };
        yield return new() { Name = "low", Definition = low, AggregationMethods = ArchivePolicy.DefaultMethods };
        yield return new() { Name = "medium", Definition = [For(Minute, 7 * Day), For(Hour, 365 * Day)], AggregationMethods = ArchivePolicy.DefaultMethods };
        yield return new() { Name = "high", Definition = [For(Times.Second, Hour), For(Minute, 7 * Day), For(Hour, 365 * Day)], AggregationMethods = ArchivePolicy.DefaultMethods };
        yield return new() { Name = "ceilometer-low", Definition = low, AggregationMethods = ["mean"] };
        yield return new() { Name = "ceilometer-low-rate", Definition = low, AggregationMethods = ["mean", "rate:mean"] };
        yield return new() { Name = "ceilometer-high", Definition = high, AggregationMethods = ["mean"] };
        yield return new() { Name = "ceilometer-high-rate", Definition = high, AggregationMethods = ["mean", "rate:mean"] };
    }

    private static IEnumerable<ArchivePolicyRule> Rules()
    {
        yield return new() { Name = "default", Pattern = "*", Policy = "ceilometer-low" };
        // Counters that only grow: what is asked of them is how fast.
        foreach (var pattern in (string[])["cpu", "disk.device.*", "network.incoming.*", "network.outgoing.*"]) yield return new() { Name = "rate-" + pattern.TrimEnd('*', '.'), Pattern = pattern, Policy = "ceilometer-low-rate" };
    }

    private static IEnumerable<ResourceType> Types()
    {
        static ResourceType Of(string name, params string[] texts) => new() { Name = name, Attributes = [.. texts.Select(t => new ResourceAttribute { Name = t, Slot = t, Required = false })] };
        yield return Of("instance", "display_name", "flavor_id", "flavor_name", "host", "image_ref", "server_group", "status");
        yield return Of("instance_disk", "name", "instance_id");
        yield return Of("instance_network_interface", "name", "instance_id");
        yield return Of("volume", "display_name", "volume_type", "image_id", "instance_id");
        yield return Of("image", "name", "container_format", "disk_format");
        yield return Of("network", "name", "kind");
        foreach (var name in (string[])["swift_account", "identity", "stack", "ceph_account"]) yield return Of(name);
        yield return Of("host", "host_name");
        yield return Of("host_disk", "host_name", "device_name");
        yield return Of("host_network_interface", "host_name", "device_name");
    }
}
