using Cloud.Events.Webhooks;
using Cloud.Tests.Kit;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Events;

/// <summary>Nothing is lost and nothing overtakes, wherever the process dies and whatever the receiver does.</summary>
public sealed class WebhookKillTests
{
    private static readonly string[] Events = [.. Enumerable.Range(0, 12).Select(i => $"e{i} s{i % 4}")];

    /// <summary>Cranks until nothing is due; a process that dies is started again.</summary>
    private static async Task Revive(TestCloud cloud)
    {
        for (var deaths = 0; ;)
            try
            {
                await cloud.Drain();
                return;
            }
            catch (Death) when (deaths++ < 100) { cloud.Restart(); }
    }

    private static void Whole(IEnumerable<string> got, IReadOnlyList<string> events)
    {
        // Repeats are allowed: of each event the first delivery counts.
        var first = got.Distinct().ToList();
        Assert.Equal(events.Select(e => e.Split(' ')[0]).Order(StringComparer.Ordinal), first.Order(StringComparer.Ordinal));
        foreach (var subject in events.GroupBy(e => e.Split(' ')[1])) Assert.Equal(subject.Select(e => e.Split(' ')[0]), first.Where(f => subject.Any(e => e.StartsWith(f + " ", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("before a commit")]
    [InlineData("after a commit")]
    [InlineData("before a delivery")]
    [InlineData("after a delivery")]
    [InlineData("before settling")]
    [InlineData("after settling")]
    public async Task Dying_at_any_moment_loses_nothing(string where)
    {
        for (var at = 0; at < 60; at++)
        {
            await using var cloud = await TestCloud.Start(0);
            var receiver = await WebhookReceiver.Start(cloud);
            await receiver.Hook(new { kinds = new[] { "test.thing" } });
            var (left, died) = (at, false);
            void Here(string here)
            {
                if (here != where || died || left-- > 0) return;
                died = true;
                throw new Death();
            }
            cloud.Store.OnCommit = after => Here(after ? "after a commit" : "before a commit");
            cloud.Bus.OnSettle = after => Here(after ? "after settling" : "before settling");
            receiver.Before = () => Here("before a delivery");
            receiver.After = () => Here("after a delivery");
            // The third is refused once, so that what is put off is there as well.
            receiver.Answer = g => g.Id == "e2" && receiver.Ids.Count(i => i == "e2") == 1 ? 500 : 200;
            try { await receiver.Emit(Events); }
            catch (Death) { cloud.Restart(); await receiver.Send(Events); }
            await Revive(cloud);
            for (var i = 0; i < 4; i++)
            {
                cloud.Clock.Advance(TimeSpan.FromMinutes(1));
                await Revive(cloud);
            }
            Whole(receiver.Served, Events);
            if (!died) { Assert.True(at > 0); return; }
        }
        Assert.Fail("it never got through without dying");
    }

    [Fact]
    public void Whatever_fails_each_event_arrives_and_those_of_a_resource_in_order() =>
        (from events in Gen.Int[0, 5].Array[1, 60]
         from answers in Gen.Int[0, 9].Select(n => n < 6 ? 200 : n < 8 ? 500 : n < 9 ? 503 : (int?)null).Array[1, 120]
         from pauses in Gen.Int[0, 90].Array[1, 20]
         from deaths in Gen.Int[0, 40].Array[0, 6]
         select (events, answers, pauses, deaths)).Sample(x => Holds(x.events, x.answers, x.pauses, x.deaths).GetAwaiter().GetResult(), iter: 150, threads: 1);

    private static async Task Holds(int[] subjects, int?[] answers, int[] pauses, int[] deaths)
    {
        await using var cloud = await TestCloud.Start(0);
        var receiver = await WebhookReceiver.Start(cloud);
        await receiver.Hook(new { kinds = new[] { "test.thing" } });
        var events = subjects.Select((s, i) => $"e{i} s{s}").ToArray();
        var (asked, commits, due) = (0, 0, deaths.Scan(0, (a, b) => a + b + 1).ToHashSet());
        receiver.Answer = _ => asked < answers.Length ? answers[asked++] : 200;
        cloud.Store.OnCommit = _ => { if (due.Remove(++commits)) throw new Death(); };
        for (var (sent, round) = (0, 0); sent < events.Length; round++)
        {
            var some = events.Skip(sent).Take(1 + pauses[round % pauses.Length] / 10).ToArray();
            await receiver.Send(some);
            sent += some.Length;
            await Revive(cloud);
            cloud.Clock.Advance(TimeSpan.FromSeconds(pauses[round % pauses.Length]));
        }
        // A day has enough attempts for whatever the receiver still has in store.
        for (var i = 0; i < 120 && receiver.Served.Distinct().Count() < events.Length; i++)
        {
            cloud.Clock.Advance(TimeSpan.FromMinutes(10));
            await Revive(cloud);
        }
        Whole(receiver.Served, events);
        cloud.Store.OnCommit = null;
        // What died after its last delivery is still to be written down: it is delivered again, to a receiver that refuses nothing any more.
        receiver.Answer = _ => 200;
        await cloud.Pass(TimeSpan.FromMinutes(20));
        Assert.DoesNotContain(cloud.Store.All, r => r.Key.StartsWith("late|", StringComparison.Ordinal));
        Assert.DoesNotContain(cloud.Bus.All, m => m.Queue is Wake.Queue or Wake.SlowQueue);
    }
}

file static class Sums
{
    public static IEnumerable<int> Scan(this IEnumerable<int> items, int start, Func<int, int, int> next)
    {
        foreach (var item in items) yield return start = next(start, item);
    }
}
