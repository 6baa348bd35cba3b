using System.Text;
using Cloud.Tests.Unit.ObjectStorage;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>A tar header's owner was a number that .NET's reader can't hold: it overflowed, and that was a 500.</summary>
public sealed class TarNumberTests
{
    [Fact]
    public async Task An_owner_beyond_all_numbers_is_a_broken_archive()
    {
        await using var shop = await Shop.Open("c");
        var header = new byte[1536];
        Encoding.ASCII.GetBytes("a.txt").CopyTo(header, 0);
        Encoding.ASCII.GetBytes("0000644\0").CopyTo(header, 100);
        // Base 256, all bits of it.
        header.AsSpan(108, 8).Fill(0xff);
        header[108] = 0x80;
        Encoding.ASCII.GetBytes("0000000\0" + "00000000000\0" + "00000000000\0").CopyTo(header, 116);
        Encoding.ASCII.GetBytes("        0").CopyTo(header, 148);
        Encoding.ASCII.GetBytes("ustar\00000").CopyTo(header, 257);
        Encoding.ASCII.GetBytes(Convert.ToString(header.Take(512).Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        using var stream = new MemoryStream(header);
        var answer = await shop.Cloud.Stream("PUT", shop.Account + "/c?extract-archive=tar", await shop.Cloud.Token("demo"), stream, ("Accept", "application/json"));
        Assert.Equal("400 Bad Request", answer.Body.GetProperty("Response Status").GetString());
        Assert.Empty(shop.Cloud.Errors);
    }
}
