using System.Text;
using Cloud.Agents.Contract;
using Cloud.Compute;
using Cloud.Platform.State;
using Xunit;

namespace Cloud.Tests.Unit;

/// <summary>What is as in a new object isn't stored, and everything else comes back as it was.</summary>
public class StoredJsonTests
{
    [Fact]
    public void WhatIsAsInANewObjectIsNotStored()
    {
        var text = Encoding.UTF8.GetString(Json.Write(new Server { Id = "1", ProjectId = "p", Tags = [], Metadata = [] }));

        Assert.DoesNotContain("Tags", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Metadata", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Status", text, StringComparison.Ordinal);
    }

    [Fact]
    public void NullsZerosAndEmptyTextsThatAreNotInitialComeBack()
    {
        var server = new Server { Id = "1", ProjectId = "p", Task = null, Status = "", Tags = ["a"], Power = PowerState.Off, Groups = [] };

        var back = Json.Read<Server>(Json.Write(server));

        Assert.Null(back.Task);
        Assert.Equal("", back.Status);
        Assert.Equal(["a"], back.Tags);
        Assert.Equal(PowerState.Off, back.Power);
        Assert.Empty(back.Groups!); // initially null, which says something else
    }

    [Fact]
    public void ElementsOfListsKeepWhatTheirConstructorsTake() =>
        Assert.Equal(new NicOf("port", null, null, false), Json.Read<Server>(Json.Write(new Server { Nics = [new("port", null, null, false)] })).Nics[0]);
}
