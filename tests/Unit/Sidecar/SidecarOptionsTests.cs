using Cloud.Agents.Sidecar;
using Xunit;

namespace Cloud.Tests.Unit.Sidecar;

public class SidecarOptionsTests
{
    [Fact]
    public void The_uri_comes_from_the_argument_the_environment_or_is_the_systems()
    {
        Assert.Equal(new("/s", "qemu:///system"), SidecarOptions.Parse(["--socket", "/s"], null));
        Assert.Equal(new("/s", "test:///e"), SidecarOptions.Parse(["--socket", "/s"], "test:///e"));
        Assert.Equal(new("/s", "test:///a"), SidecarOptions.Parse(["--uri", "test:///a", "--socket", "/s"], "test:///e"));
    }

    [Theory]
    [InlineData]
    [InlineData("--socket")]
    [InlineData("--socket", "")]
    [InlineData("--uri", "test:///a")]
    [InlineData("--socket", "/s", "--verbose", "yes")]
    public void Refuses_arguments_that_make_no_sense(params string[] args) => Assert.Null(SidecarOptions.Parse(args, null));
}
