using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Museum;

/// <summary>A JSON text's bytes were looked at only by whoever read it, who then met what is no UTF-8: 500.</summary>
public sealed class BytesThatAreNoTextTests
{
    [Theory]
    [InlineData("{\"network\":{\"name\":\"~\"}}")]
    [InlineData("{\"net~work\":{}}")]
    public async Task What_is_no_UTF8_is_malformed(string body)
    {
        await using var cloud = await TestCloud.Start(0);
        using var stream = new MemoryStream([.. Encoding.ASCII.GetBytes(body).Select(b => b == '~' ? (byte)0xff : b)]);
        Assert.Equal(400, (await cloud.Stream("POST", "/network/v2.0/networks", await cloud.Token(), stream)).Status);
        Assert.Empty(cloud.Errors);
    }
}
