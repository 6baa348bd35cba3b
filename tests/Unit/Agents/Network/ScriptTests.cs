using System.Net;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Linux;
using CsCheck;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class ScriptTests
{
    [Fact]
    public void Values_are_written_as_programs_read_them()
    {
        var script = new Script()
            .Add($"{(Word)"link"} {1450} {Mac.Parse("FA:16:3e:00:00:0B")} {IPAddress.Parse("FD00::1")} {IPNetwork.Parse("10.0.0.0/8")}")
            .Part($"{{ {new[] { 1, 2 }}")
            .Add($" }} {Addresses.ParseInterface("10.0.0.5/24")} {(UInt128)255}");
        Assert.Equal("link 1450 fa:16:3e:00:00:0b fd00::1 10.0.0.0/8\n{ 1,2 } 10.0.0.5/24 0x000000000000000000000000000000ff\n", script.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("a;b")]
    [InlineData("a\"b")]
    [InlineData("a'b")]
    [InlineData("a#b")]
    [InlineData("a$b")]
    [InlineData("a,b")]
    [InlineData("a{b")]
    [InlineData("ä")]
    public void A_text_that_could_say_more_than_a_name_is_refused(string text)
    {
        Assert.False(Assert.Throws<HandlerFault>(() => new Script().Add($"link del dev {text}")).Retry);
        Assert.Throws<HandlerFault>(() => new Word(text));
    }

    [Fact]
    public void Whatever_is_filled_in_a_line_stays_one_word() => Gen.String.Sample(text =>
    {
        try
        {
            var lines = new Script().Add($"set {text} end").ToString().Split('\n');
            return lines is [var line, ""] && line.Split(' ') is ["set", _, "end"];
        }
        catch (HandlerFault)
        {
            return true;
        }
    });
}
