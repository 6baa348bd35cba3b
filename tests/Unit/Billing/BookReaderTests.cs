using System.Text.Json;
using Cloud.Billing;
using Cloud.Platform;
using Cloud.Platform.Rest;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Unit.Billing;

/// <summary>A price book that can't be told from a mistake is refused, with what is wrong in words.</summary>
public sealed class BookReaderTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 10, 0, 0, 0, TimeSpan.Zero);

    private static PriceBook Read(string prices, string more = "") => BookReader.Read(JsonDocument.Parse($$"""{"currency":"EUR","prices":[{{prices}}]{{more}}}""").RootElement);

    [Theory]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"from":0,"to":10,"price":1},{"from":11,"price":1}]}""", "gap: nothing says what 10 to 11 costs")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"from":0,"to":10,"price":1},{"from":9,"price":1}]}""", "overlaps the one before it, which goes to 10")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"from":1,"price":1}]}""", "gap: nothing says what 0 to 1 costs")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"from":0,"to":10,"price":1}]}""", "nothing says what more than 10 costs")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"price":1},{"from":10,"price":1}]}""", "overlaps the one before it, which has no end")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"from":0,"to":0,"price":1},{"price":1}]}""", "ends before it begins")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[]}""", "1 to 20 tiers")]
    [InlineData("""{"meter":"router","unit":"hour","tiers":[{"to":0.0000001,"price":1},{"price":1}]}""", "finer than what is counted")]
    [InlineData("""{"meter":"router","unit":"hour","price":-1}""", "must not be negative")]
    [InlineData("""{"meter":"router","unit":"hour","price":"NaN"}""", "must be a number, not 'NaN'")]
    [InlineData("""{"meter":"router","unit":"hour","price":"Infinity"}""", "must be a number")]
    [InlineData("""{"meter":"router","unit":"hour","price":1e999}""", "must be a number")]
    [InlineData("""{"meter":"router","unit":"hour","price":1000001}""", "at most 1000000")]
    [InlineData("""{"meter":"router","unit":"hour","price":0.0000000000001}""", "more than 12 places")]
    [InlineData("""{"meter":"router","unit":"hour","price":null}""", "must be a number")]
    [InlineData("""{"meter":"router","unit":"hour"}""", "either price or tiers")]
    [InlineData("""{"meter":"router","unit":"hour","price":1,"tiers":[]}""", "either price or tiers")]
    [InlineData("""{"meter":"router","unit":"fortnight","price":1}""", "unit 'fortnight' is unknown; there are second, hour")]
    [InlineData("""{"meter":"router","unit":"GiB-hour","price":1}""", "counted in seconds and can't be priced by the GiB-hour; possible are second, hour")]
    [InlineData("""{"meter":"volume.gib","unit":"hour","price":1}""", "possible are GiB-second, GiB-hour")]
    [InlineData("""{"meter":"floatingip-traffic.in","unit":"hour","price":1}""", "possible are GB, GiB")]
    [InlineData("""{"meter":"sever.*","unit":"hour","price":1}""", "no meter is called 'sever.*'")]
    [InlineData("""{"meter":"*","unit":"hour","price":1}""", "not counted alike")]
    [InlineData("""{"meter":"router","unit":"hour","price":1,"currency":"USD"}""", "in USD, but the book is in EUR")]
    [InlineData("""{"meter":"router","unit":"hour","price":1},{"meter":"router","unit":"second","price":1}""", "overlap: both are for 'router'")]
    [InlineData("""{"meter":"router","unit":"hour","price":1,"colour":"red"}""", "unknown member 'colour'")]
    [InlineData("""{"meter":"router","unit":"hour","price":1,"price":2}""", "'price' twice")]
    [InlineData("", "1 to 500 prices")]
    [InlineData("7", "must be an object")]
    public void What_is_wrong_is_said(string prices, string why) => Assert.Contains(why, Assert.Throws<Fault>(() => Read(prices)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(""","discounts":[{"project_id":"p","percent":101}]""", "at most 100")]
    [InlineData(""","discounts":[{"project_id":"p","percent":1},{"project_id":"p","percent":2}]""", "Two discounts overlap")]
    [InlineData(""","discounts":[{"percent":1}]""", "must have a text 'project_id'")]
    [InlineData(""","decimals":7""", "from 0 to 6")]
    [InlineData(""","valid_from":"yesterday" """, "valid_from must be a time")]
    public void The_rest_of_the_book_too(string more, string why) => Assert.Contains(why, Assert.Throws<Fault>(() => Read("""{"meter":"router","unit":"hour","price":1}""", more)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Versions_join_and_what_holds_never_changes()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Now);
        using var bus = new MemoryBus(clock);
        var s = Composition.Services(new MemoryStore(bus), bus, new NoBlobs(), clock, new TimeOrderedIds(clock), new Settings(), []);
        PriceBook Of(int day, string currency = "EUR", params string[] meters) => new(new(2030, 1, day, 0, 0, 0, TimeSpan.Zero), currency, 2, [.. meters.Select(m => new Price(m, "hour", 0, [new(0, null, 1)]))], []);
        async Task<string> Refused<T>(ValueTask<T> add) => (await Assert.ThrowsAsync<Fault>(add.AsTask)).Message;
        Assert.Contains("a year ago", await Refused(Books.Add(s, Of(1, "EUR", "router") with { ValidFrom = Now.AddYears(-2) })), StringComparison.Ordinal);
        await Books.Add(s, Of(1, "EUR", "server.*", "router"));
        Assert.Contains("in the past", await Refused(Books.Add(s, Of(2, "EUR", "server.*", "router"))), StringComparison.Ordinal);
        Assert.Contains("overlap", await Refused(Books.Add(s, Of(1, "EUR", "server.*", "router"))), StringComparison.Ordinal);
        Assert.Contains("one currency", await Refused(Books.Add(s, Of(20, "USD", "server.*", "router"))), StringComparison.Ordinal);
        Assert.Contains("A gap: 'server.*' has a price before", await Refused(Books.Add(s, Of(20, "EUR", "server.m1.tiny", "router"))), StringComparison.Ordinal);
        await Books.Add(s, Of(20, "EUR", "server.*", "router", "floatingip"));
        Assert.Contains("A gap: 'floatingip'", await Refused(Books.Add(s, Of(25, "EUR", "server.*", "router"))), StringComparison.Ordinal);
        await Books.Add(s, Of(15, "EUR", "server.*", "router"));
        Assert.Contains("holds already", await Refused(new ValueTask<bool>(Books.TakeBack(s, Of(1).ValidFrom))), StringComparison.Ordinal);
        Assert.True(await Books.TakeBack(s, Of(15).ValidFrom));
        Assert.False(await Books.TakeBack(s, Of(15).ValidFrom));
        Assert.Equal([1, 20], (await Books.All(s.Store)).Select(b => b.ValidFrom.Day));
    }

    [Fact]
    public async Task Without_a_beginning_a_version_begins_when_it_is_added_however_fast_time_goes_and_one_after_the_other()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Now) { AutoAdvanceAmount = TimeSpan.FromMilliseconds(3) };
        using var bus = new MemoryBus(clock);
        var s = Composition.Services(new MemoryStore(bus), bus, new NoBlobs(), clock, new TimeOrderedIds(clock), new Settings(), []);
        for (var i = 0; i < 3; i++) await Books.Add(s, Read("""{"meter":"router","unit":"hour","price":1}"""));
        clock.AutoAdvanceAmount = TimeSpan.Zero;
        for (var i = 0; i < 3; i++) await Books.Add(s, Read("""{"meter":"router","unit":"hour","price":1}"""));
        Assert.Equal(6, (await Books.All(s.Store)).Select(b => b.ValidFrom).Distinct().Count());
    }

    [Fact]
    public void The_longest_pattern_holds_and_the_name_itself_before_any()
    {
        var book = Read("""{"meter":"server.*","unit":"hour","price":1},{"meter":"server.m1.*","unit":"hour","price":"2"},{"meter":"server.m1.tiny","unit":"hour","price":3}""", ""","discounts":[{"project_id":"p","percent":"12.5"},{"project_id":"p","meter":"server.m1.tiny","percent":0}]""");
        Assert.Equal([1m, 2m, 3m], new[] { "server.x", "server.m1.small", "server.m1.tiny" }.Select(m => book.For(m)!.Tiers[0].Price));
        Assert.Null(book.For("server-running.m1.tiny"));
        Assert.Equal([1250, 0, 0], new[] { book.DiscountOf("p", "server.x"), book.DiscountOf("p", "server.m1.tiny"), book.DiscountOf("q", "server.x") });
    }
}
