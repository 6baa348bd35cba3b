using System.Text.Json;
using Cloud.Billing;
using Cloud.Metering;
using Cloud.Platform.Events;
using CsCheck;

namespace Cloud.Tests.Unit.Billing;

/// <summary>One change of one resource as its event tells it, with what it means for the model.</summary>
/// <param name="At">By the clock of the process that made it, which may be off.</param>
/// <param name="Late">Heard of only with the next month's.</param>
public sealed record Step(string Kind, string Id, int Revision, DateTimeOffset At, bool Gone, bool Late, object State, Gauge[] Gauges)
{
    public string Project => Id[..1];

    private static string TypeOf(string kind) => kind switch { "server" => "compute.server", "volume" => "block-storage.volume", "image" => "image.image", "snapshot" => "block-storage.snapshot", "object" => "object-store.object", _ => "network." + kind };

    public Event Event() => Platform.Events.Event.Read(JsonSerializer.SerializeToUtf8Bytes(new
    {
        id = $"{Id}.{Revision}", type = $"cloud.serverless.{TypeOf(Kind)}.{(Gone ? "deleted" : "updated")}", subject = Id, time = At,
        data = new { project_id = Project, revision = Revision, before = State, after = Gone ? null : State },
    }));
}

/// <summary>
/// What happens in two projects: servers that start, stop, change their flavor and move from host to host, volumes that grow, snapshots, images, objects, routers, addresses that move from port to port and lie idle, and traffic,
/// told by three processes whose clocks differ by up to ten seconds.
/// </summary>
public sealed record Story(Step[][] Lives, Counted[] Traffic)
{
    /// <summary>What happens in a month's first days is not late: with the next month's it would be older than what the ledger still takes.</summary>
    public const int Early = 5;

    private sealed record Wish(object State, Gauge[] Gauges);

    // Where it runs changes nothing, nor does being on the way from there.
    private static readonly Gen<Wish> Server = Gen.Select(Gen.OneOfConst("m1.tiny", "m1.small", "c2.big"), Gen.OneOfConst("BUILD", "ACTIVE", "SHUTOFF", "RESIZE", "VERIFY_RESIZE", "REBOOT", "MIGRATING"), Gen.OneOfConst("host-1", "host-2"), (flavor, status, host) => new Wish(
        new { CreatedAt = Billing.Lives.Begin, Doomed = false, Status = status, LaunchedAt = status == "BUILD" ? (DateTimeOffset?)null : Billing.Lives.Begin, Flavor = new { Name = flavor }, Host = host },
        status == "BUILD" ? [] : status is "ACTIVE" or "REBOOT" or "MIGRATING" ? [new("server." + flavor, 1), new("server-running." + flavor, 1)] : [new("server." + flavor, 1)]));
    private static readonly Gen<Wish> Volume = Gen.Int[0, 4].Select(n => new Wish(new { CreatedAt = Billing.Lives.Begin, Doomed = false, Status = n == 0 ? "creating" : n == 1 ? "in-use" : "available", Size = n * 5 }, n == 0 ? [] : [new("volume.gib", n * 5)]));
    private static readonly Gen<Wish> Image = Gen.Long[0, 3].Select(n => new Wish(new { CreatedAt = Billing.Lives.Begin, Doomed = false, Status = n == 0 ? "queued" : "active", Size = n * 123_456_789 }, n == 0 ? [] : [new("image.bytes", n * 123_456_789)]));
    private static readonly Gen<Wish> Snapshot = Gen.Int[0, 3].Select(n => new Wish(new { CreatedAt = Billing.Lives.Begin, Doomed = false, Status = n == 0 ? "creating" : "available", Size = n }, n == 0 ? [] : [new("snapshot.gib", n)]));
    private static readonly Gen<Wish> Object = Gen.Long[0, 5_000_000_000].Select(n => new Wish(new { CreatedAt = Billing.Lives.Begin, Doomed = false, Bytes = n }, n == 0 ? [] : [new("object.bytes", n)]));
    private static readonly Gen<Wish> Router = Gen.Const(new Wish(new { CreatedAt = Billing.Lives.Begin, Doomed = false }, [new("router", 1)]));
    private static readonly Gen<Wish> Address = Gen.OneOfConst<string?>(null, "port-1", "port-2", "port-3").Select(port => new Wish(new { CreatedAt = Billing.Lives.Begin, Doomed = false, PortId = port, RouterId = (string?)null }, [new("floatingip", 1), new(port is null ? "floatingip-idle" : "floatingip-bound", 1)]));

    private static Gen<Step[]> Of(string kind, Gen<Wish> wish) => Gen.Select(Gen.OneOfConst("p1", "p2", "q1"), Gen.Long[0, 20 * TimeSpan.TicksPerDay],
        Gen.Select(wish, Gen.OneOf(Gen.Const(0L), Gen.Long[0, 20_000], Gen.Long[0, 15 * TimeSpan.TicksPerDay]), Gen.Int[-10_000, 10_000], Gen.Int[0, 3]).Array[1, 6], Gen.Bool, (id, birth, steps, ends) =>
        {
            var at = Billing.Lives.Begin.AddSeconds(10).AddTicks(birth);
            return (Step[])[.. steps.Select((s, i) =>
            {
                var (gone, told) = (ends && i == steps.Length - 1, (at = at.AddTicks(s.Item2)).AddMilliseconds(s.Item3));
                return new Step(kind, $"{id}-{kind}", i + 1, told, gone, s.Item4 == 0 && told.Day > Early, s.Item1.State, gone ? [] : s.Item1.Gauges);
            })];
        });

    public static readonly Gen<Story> Some = Gen.Select(Gen.OneOf(Of("server", Server), Of("volume", Volume), Of("floatingip", Address), Of("image", Image), Of("snapshot", Snapshot), Of("object", Object), Of("router", Router)).Array[1, 4], Billing.Lives.Traffic, (lives, traffic) => new Story([.. lives.DistinctBy(l => l[0].Id)], traffic));

    /// <summary>What of it a project is to pay for: of one resource time never runs backwards, whatever the clocks say.</summary>
    public List<Life> Truth(string project)
    {
        var truth = new List<Life>();
        foreach (var life in Lives.Where(l => l[0].Project == project))
        {
            var at = DateTimeOffset.MinValue;
            truth.Add(new($"{life[0].Kind}|{life[0].Id}", [.. life.Select(s => new Reading(s.Revision, at = s.At > at ? s.At : at, "", s.Gauges))]));
        }
        return truth;
    }
}
