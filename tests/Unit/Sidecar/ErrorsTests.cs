using Cloud.Agents.Contract.Libvirt;
using Cloud.Agents.Sidecar;
using Grpc.Core;
using Xunit;

namespace Cloud.Tests.Unit.Sidecar;

public class ErrorsTests
{
    [Theory]
    [InlineData(42, StatusCode.NotFound)]
    [InlineData(99, StatusCode.NotFound)]
    [InlineData(55, StatusCode.FailedPrecondition)]
    [InlineData(27, StatusCode.InvalidArgument)]
    [InlineData(67, StatusCode.InvalidArgument)]
    [InlineData(39, StatusCode.Unavailable)]
    [InlineData(Errors.Disconnected, StatusCode.Unavailable)]
    [InlineData(1, StatusCode.Internal)]
    [InlineData(12345, StatusCode.Internal)]
    public void Numbers_become_statuses(int code, StatusCode status) => Assert.Equal(status, Errors.Status(code));

    [Theory]
    [InlineData(1, 0, DomainState.Running)]
    [InlineData(3, 1, DomainState.Paused)]
    [InlineData(3, 11, DomainState.Running)]
    [InlineData(4, 0, DomainState.ShuttingDown)]
    [InlineData(5, 2, DomainState.Off)]
    [InlineData(6, 0, DomainState.Crashed)]
    [InlineData(0, 0, DomainState.Unknown)]
    public void States_are_translated(int state, int reason, DomainState expected) => Assert.Equal(expected, Domains.State(state, reason));

    [Theory]
    [InlineData(2, 0, DomainState.Running, "started")]
    [InlineData(5, 1, DomainState.Off, "stopped: destroyed")]
    [InlineData(5, 2, DomainState.Off, "stopped: crashed")]
    [InlineData(99, 0, DomainState.Unknown, "event 99")]
    public void Lifecycle_events_are_translated(int what, int detail, DomainState state, string text) =>
        Assert.Equal((state, text), DomainEvents.Describe(what, detail));

    [Fact]
    public void Only_domains_of_this_cloud_are_told_about()
    {
        var events = new DomainEvents();
        var channel = events.Subscribe();
        events.Publish(new DomainEvent { Name = "other" });
        events.Publish(new DomainEvent { Name = "cs-1" });
        Assert.True(channel.Reader.TryRead(out var e));
        Assert.Equal("cs-1", e.Name);
        Assert.False(channel.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_subscriber_that_does_not_keep_up_is_cut_off_and_told()
    {
        var events = new DomainEvents();
        var channel = events.Subscribe();
        for (var i = 0; i < 5000; i++) events.Publish(new DomainEvent { Name = "cs-1" });
        while (channel.Reader.TryRead(out _)) { }
        var error = await Assert.ThrowsAsync<LibvirtException>(() => channel.Reader.Completion);
        Assert.Equal(StatusCode.Unavailable, Errors.Status(error.Code));
    }
}
