using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>What is documented and missing keeps its rule: whoever may not use it anyway hears that, and who may hears that it isn't there.</summary>
public sealed class NotOfferedTests(Scene scene) : IClassFixture<Scene>
{
    [Theory]
    [InlineData("/compute/v2.1/os-agents")]
    [InlineData("/compute/v2.1/os-instance_usage_audit_log")]
    [InlineData("/network/v2.0/agents/{nothing}/l3-routers")]
    [InlineData("/volume/v3/{own}/scheduler-stats/get_pools")]
    [InlineData("/volume/v3/default-types")]
    [InlineData("/volume/v3/{own}/types/{nothing}/encryption/x")]
    public async Task An_administrators_operation_is_refused_to_others(string target)
    {
        Assert.Equal(403, (await scene.Send("GET", target.Replace("{own}", "{ann.project}", StringComparison.Ordinal))).Status);
        Assert.Equal(501, (await scene.Send("GET", target.Replace("{own}", "{admin.project}", StringComparison.Ordinal), user: "admin")).Status);
    }
}
