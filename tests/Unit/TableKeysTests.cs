using Cloud.Platform.Tables;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit;

public class TableKeysTests
{
    // Any text of the plane that the order of UTF-16 and of code points agree on.
    private static readonly Gen<string> Key = Gen.Frequency((3, Gen.Char['\0', '\u00ff']), (1, Gen.Char['\u0100', '\ud7ff'])).Array[0, 12].Select(c => new string(c));

    [Fact]
    public void What_is_written_is_what_is_read() => Key.Sample(k => Assert.Equal(k, TableKeys.Decode(TableKeys.Encode(k))));

    [Fact]
    public void Order_stays() => Gen.Select(Key, Key).Sample((a, b) => Assert.Equal(Math.Sign(string.CompareOrdinal(a, b)), Math.Sign(string.CompareOrdinal(TableKeys.Encode(a), TableKeys.Encode(b)))));

    [Fact]
    public void Nothing_that_the_service_refuses_is_left() => Key.Sample(k => Assert.DoesNotContain(TableKeys.Encode(k), c => char.IsControl(c)));

    [Fact]
    public void No_key_looks_like_a_promise() => Key.Sample(k => Assert.False(TableKeys.Encode(k).StartsWith(TableKeys.Promise, StringComparison.Ordinal)));

    [Theory]
    [InlineData("b|", "b|\uffff", "RowKey ge 'b|' and RowKey lt 'b}'")]
    [InlineData("", "\uffff", "RowKey ge ''")]
    [InlineData("it's", "k", "RowKey ge 'it''s' and RowKey lt 'k'")]
    [InlineData("a\t", "a\t\uffff", "RowKey ge 'a!9' and RowKey lt 'a!:'")]
    public void Bounds_are_a_filter(string from, string to, string filter) => Assert.Equal(filter, TableKeys.Within("RowKey", from, to));
}
