using Cloud.Agents.Sidecar;
using Xunit;

namespace Cloud.Tests.Unit.Sidecar;

public class KvmTests
{
    [Fact]
    public void The_probe_gives_an_answer_on_any_host()
    {
        var works = Kvm.Works();
        Assert.True(!works || File.Exists("/dev/kvm"));
    }
}
