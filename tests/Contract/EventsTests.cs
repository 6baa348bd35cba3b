using System.Text.Json;
using Cloud.Events;
using Cloud.Platform.Events;
using Cloud.Platform.State;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

public sealed class EventsTests
{
    private static Task<Answer> Volume(TestCloud cloud, string user, int size = 1) => VolumeOf(cloud, user, new { volume = new { size } });

    private static async Task<Answer> VolumeOf(TestCloud cloud, string user, object body)
    {
        var project = (await cloud.Send("GET", "/identity/v3/auth/projects", user: user)).Body.GetProperty("projects")[0].GetProperty("id").GetString();
        var answer = await cloud.Send("POST", $"/volume/v3/{project}/volumes", body, user);
        await cloud.Drain();
        return answer;
    }

    private static IEnumerable<string> Types(Answer a) => a.Body.EnumerateArray().Select(e => e.GetProperty("type").GetString()!);

    [Fact]
    public async Task Every_change_is_there_once_and_in_order()
    {
        await using var cloud = await TestCloud.Start();
        var id = (await Volume(cloud, "demo")).Id("volume");
        var events = await cloud.Send("GET", $"/events/v1/events?subject={id}", user: "demo");
        Assert.Equal(200, events.Status);
        var list = events.Body.EnumerateArray().ToList();
        Assert.Equal("cloud.serverless.block-storage.volume.created", list[0].GetProperty("type").GetString());
        Assert.Equal(Enumerable.Range(1, list.Count).Select(n => (long)n), list.Select(e => e.GetProperty("data").GetProperty("revision").GetInt64()));
        Assert.Equal("available", list[^1].GetProperty("data").GetProperty("after").GetProperty("Status").GetString());
        Assert.All(list, e => Assert.Equal("1.0", e.GetProperty("specversion").GetString()));
    }

    [Fact]
    public async Task A_cursor_goes_on_where_it_left()
    {
        await using var cloud = await TestCloud.Start();
        for (var i = 0; i < 3; i++) await Volume(cloud, "demo");
        var whole = (await cloud.Send("GET", "/events/v1/events?limit=1000", user: "demo")).Body.EnumerateArray().Select(e => e.GetProperty("id").GetString()).ToList();
        var (pieces, cursor) = (new List<string?>(), "");
        while (true)
        {
            var page = await cloud.Send("GET", $"/events/v1/events?limit=2&cursor={cursor}", user: "demo");
            if (page.Body.GetArrayLength() == 0) break;
            pieces.AddRange(page.Body.EnumerateArray().Select(e => e.GetProperty("id").GetString()));
            Assert.Contains($"cursor={page.Headers["Events-Cursor"]}", page.Headers["Link"], StringComparison.Ordinal);
            cursor = page.Headers["Events-Cursor"];
        }
        Assert.Equal(whole, pieces);
        await Volume(cloud, "demo");
        var later = await cloud.Send("GET", $"/events/v1/events?cursor={cursor}&type=*", user: "demo");
        Assert.Equal(0, later.Body.GetArrayLength());
        later = await cloud.Send("GET", $"/events/v1/events?cursor={cursor}&type=cloud.serverless.block-storage.*", user: "demo");
        Assert.Equal("cloud.serverless.block-storage.volume.created", Types(later).First());
    }

    [Fact]
    public async Task Tenants_see_their_own_and_nothing_of_the_inside()
    {
        await using var cloud = await TestCloud.Start();
        await cloud.AddUser("eve");
        await Volume(cloud, "demo");
        var mine = await cloud.Send("GET", "/events/v1/events?limit=1000", user: "demo");
        Assert.NotEmpty(mine.Body.EnumerateArray());
        Assert.DoesNotContain("operator", mine.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"Saga\"", mine.Text, StringComparison.Ordinal);
        Assert.Equal(0, (await cloud.Send("GET", "/events/v1/events", user: "eve")).Body.GetArrayLength());
        Assert.Equal(403, (await cloud.Send("GET", "/events/v1/events?all_projects=1", user: "eve")).Status);
        var all = await cloud.Send("GET", "/events/v1/events?all_projects=1&limit=1000");
        Assert.Contains("cloud.serverless.identity.user.created", Types(all));
        Assert.Contains("cloud.serverless.block-storage.volume.created", Types(all));
        Assert.DoesNotContain("eve-secret", all.Text, StringComparison.Ordinal);
        var numbers = all.Body.EnumerateArray().Select(e => long.Parse(e.GetProperty("sequence").GetString()!, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(n => (long)n), numbers);
    }

    [Theory]
    [InlineData("cursor=nonsense")]
    [InlineData("cursor=-1")]
    [InlineData("cursor=99999999")]
    [InlineData("limit=0")]
    [InlineData("limit=1001")]
    [InlineData("colour=red")]
    [InlineData("type=a&type=b")]
    [InlineData("all_projects=maybe")]
    public async Task A_bad_question_is_refused_as_a_problem(string query)
    {
        await using var cloud = await TestCloud.Start();
        var answer = await cloud.Send("GET", "/events/v1/events?" + query, user: "demo");
        Assert.Equal(400, answer.Status);
        Assert.Equal(400, answer.Body.GetProperty("status").GetInt32());
        Assert.StartsWith("req-", answer.Body.GetProperty("request_id").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_old_is_trimmed_and_a_reader_who_missed_it_is_told()
    {
        await using var cloud = await TestCloud.Start();
        var id = (await Volume(cloud, "demo")).Id("volume");
        Assert.Equal(403, (await cloud.Send("PUT", "/events/v1/retention", new { days = 2 }, "demo")).Status);
        Assert.Equal(400, (await cloud.Send("PUT", "/events/v1/retention", new { days = 0 })).Status);
        Assert.Equal(200, (await cloud.Send("PUT", "/events/v1/retention", new { days = 2 })).Status);
        cloud.Clock.Advance(TimeSpan.FromDays(3));
        cloud.Forget();
        var kept = (await Volume(cloud, "demo")).Id("volume");
        await Retention.Trim(cloud.Services, default);
        var events = await cloud.Send("GET", "/events/v1/events", user: "demo");
        Assert.DoesNotContain(id, events.Text, StringComparison.Ordinal);
        Assert.Contains(kept, events.Text, StringComparison.Ordinal);
        Assert.Equal(410, (await cloud.Send("GET", "/events/v1/events?cursor=0", user: "demo")).Status);
        Assert.DoesNotContain(cloud.Store.All, r => r.Partition == EventLog.Partition && r.Key.StartsWith("entry|", StringComparison.Ordinal) && Json.Read<LogEntry>(r.Body).LoggedAt < cloud.Clock.GetUtcNow().AddDays(-2));
    }

    [Fact]
    public async Task An_event_that_comes_again_is_not_logged_again_wherever_the_process_dies()
    {
        for (var death = 0; death < 12; death++)
        {
            await using var cloud = await TestCloud.Start();
            var before = (await EventLog.Head(cloud.Store, "")).Head.Last;
            var events = Enumerable.Range(0, 5).Select(i => Event.Read(JsonSerializer.SerializeToUtf8Bytes(new { id = $"e{i}", type = "cloud.serverless.x.y.z", subject = "s", time = cloud.Clock.GetUtcNow(), data = new { project_id = i % 2 == 0 ? "p" : "" } }))).ToList();
            var left = death;
            cloud.Store.OnCommit = _ => { if (left-- == 0) throw new Death(); };
            foreach (var e in events)
                for (var tries = 0; ; tries++)
                    try { await Api.Slice.OnEvent!(cloud.Services, e, default); break; }
                    catch (Death) when (tries < 2) { }
            cloud.Store.OnCommit = null;
            await EventLog.Append(cloud.Store, events, cloud.Clock.GetUtcNow());
            Assert.Equal(["e0", "e1", "e2", "e3", "e4"], (await EventLog.After(cloud.Store, "", before, 100)).Select(e => e.EventId));
            Assert.Equal(["e0", "e2", "e4"], (await EventLog.After(cloud.Store, "p", 0, 100)).Select(e => e.EventId));
        }
    }

    [Fact]
    public async Task Many_at_once_are_all_there_and_numbers_have_no_holes()
    {
        await using var cloud = await TestCloud.Start();
        var before = (await EventLog.Head(cloud.Store, "")).Head.Last;
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => EventLog.Append(cloud.Store,
            [Event.Read(JsonSerializer.SerializeToUtf8Bytes(new { id = $"e{i}", type = "t", subject = "s", time = cloud.Clock.GetUtcNow(), data = new { project_id = $"p{i % 3}" } }))], cloud.Clock.GetUtcNow()))));
        var entries = await EventLog.After(cloud.Store, "", before, 1000);
        Assert.Equal(200, entries.Select(e => e.EventId).Distinct().Count());
        Assert.Equal(Enumerable.Range(1, 200).Select(n => before + n), entries.Select(e => e.Number));
    }
}
