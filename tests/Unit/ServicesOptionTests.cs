using Xunit;

namespace Cloud.Tests.Unit;

public sealed class ServicesOptionTests
{
    [Fact]
    public void Services_are_chosen_by_the_beginnings_of_their_paths()
    {
        Assert.Equal(["object-store", "identity"], Slices.Named(EmbeddedOptions.Parse(["--data", "d", "--services", "object-store,identity"]).Services).Select(s => s.Prefix));
        Assert.Equal(Slices.All, Slices.Named(EmbeddedOptions.Parse(["--data", "d"]).Services));
        Assert.Contains("'objects'", Assert.Throws<ArgumentException>(() => Slices.Named(["objects"])).Message, StringComparison.Ordinal);
    }
}
