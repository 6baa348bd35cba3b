using Cloud.Agents.Contract;
using Cloud.Agents.Host;
using Cloud.Agents.Host.Networks;
using Xunit;

namespace Cloud.Tests.Unit.Agents.Network;

public sealed class RulesTests
{
    public static TheoryData<RuleSpec, string, string> Compiled => new()
    {
        { new(true, false, null, null, null, null), "meta protocol ip accept", "meta protocol ip accept" },
        { new(true, true, null, null, null, null), "meta protocol ip6 accept", "meta protocol ip6 accept" },
        { new(true, false, 6, 22, 22, null), "meta protocol ip meta l4proto 6 th dport 22-22 accept", "meta protocol ip meta l4proto 6 th sport 22-22 accept" },
        { new(true, false, 17, 1000, 2000, ["10.0.0.0/8"]), "meta protocol ip meta l4proto 17 th dport 1000-2000 ip saddr { 10.0.0.0/8 } accept", "meta protocol ip meta l4proto 17 th sport 1000-2000 ip daddr { 10.0.0.0/8 } accept" },
        { new(true, false, 6, 22, null, null), "meta protocol ip meta l4proto 6 th dport 22-22 accept", "meta protocol ip meta l4proto 6 th sport 22-22 accept" },
        { new(true, false, 6, null, null, ["0.0.0.0/0"]), "meta protocol ip meta l4proto 6 accept", "meta protocol ip meta l4proto 6 accept" },
        { new(true, false, 6, null, null, ["10.0.0.7/32", "10.0.0.0/24", "10.1.0.1/32"]), "meta protocol ip meta l4proto 6 ip saddr { 10.0.0.0/24,10.1.0.1/32 } accept", "meta protocol ip meta l4proto 6 ip daddr { 10.0.0.0/24,10.1.0.1/32 } accept" },
        { new(true, false, 1, 8, 0, null), "meta protocol ip meta l4proto 1 icmp type 8 icmp code 0 accept", "meta protocol ip meta l4proto 1 accept" },
        { new(true, true, 58, 128, null, ["fd00::/8"]), "meta protocol ip6 meta l4proto 58 icmpv6 type 128 ip6 saddr { fd00::/8 } accept", "meta protocol ip6 meta l4proto 58 ip6 daddr { fd00::/8 } accept" },
        { new(true, true, 1, null, null, null), "meta protocol ip6 meta l4proto 58 accept", "meta protocol ip6 meta l4proto 58 accept" },
        { new(true, false, 50, null, null, null), "meta protocol ip meta l4proto 50 accept", "meta protocol ip meta l4proto 50 accept" },
        { new(true, false, 0, null, null, null), "meta protocol ip meta l4proto 0 accept", "meta protocol ip meta l4proto 0 accept" },
    };

    [Theory]
    [MemberData(nameof(Compiled))]
    public void A_rule_lets_in_what_it_says_and_out_what_answers(RuleSpec rule, string line, string answer)
    {
        Assert.Equal(line + "\n", Rules.Compile([rule], ingress: true, answers: false, "accept").ToString());
        Assert.Equal(answer + "\n", Rules.Compile([rule], ingress: true, answers: true, "accept").ToString());
        Assert.Equal("", Rules.Compile([rule], ingress: false, answers: false, "accept").ToString());
    }

    [Fact]
    public void Out_is_the_mirror_image()
    {
        var rule = new RuleSpec(false, false, 6, 80, 80, ["10.0.0.9/32"]);
        Assert.Equal("meta protocol ip meta l4proto 6 th dport 80-80 ip daddr { 10.0.0.9/32 } return\n", Rules.Compile([rule], ingress: false, answers: false, "return").ToString());
        Assert.Equal("meta protocol ip meta l4proto 6 th sport 80-80 ip saddr { 10.0.0.9/32 } accept\n", Rules.Compile([rule], ingress: false, answers: true, "accept").ToString());
    }

    [Fact]
    public void Members_of_a_group_stand_in_its_sets()
    {
        var (four, six) = (new RuleSpec(true, false, 6, 22, 22, null, "g"), new RuleSpec(true, true, null, null, null, null, "g"));
        var name = Names.Short("g");
        Assert.Equal($"meta protocol ip meta l4proto 6 th dport 22-22 ip saddr @g4-{name} accept\nmeta protocol ip6 ip6 saddr @g6-{name} accept\n", Rules.Compile([four, six], ingress: true, answers: false, "accept").ToString());
        Assert.Equal($"meta protocol ip meta l4proto 6 th sport 22-22 ip daddr @g4-{name} accept\nmeta protocol ip6 ip6 daddr @g6-{name} accept\n", Rules.Compile([four, six], ingress: true, answers: true, "accept").ToString());
        Assert.Throws<HandlerFault>(() => GroupSets.Fill("t", "g", ["10.0.0.1 } accept\n"]));
    }

    [Fact]
    public void A_group_without_members_lets_nobody_in() =>
        Assert.Equal("", Rules.Compile([new(true, false, null, null, null, [])], ingress: true, answers: false, "accept").ToString());

    public static TheoryData<RuleSpec> Nonsense =>
    [
        new RuleSpec(true, false, 50, 22, 22, null), new RuleSpec(true, false, null, 22, 22, null), new RuleSpec(true, false, 6, 23, 22, null), new RuleSpec(true, false, 6, 22, 65536, null), new RuleSpec(true, false, 6, -1, 22, null),
        new RuleSpec(true, false, 256, null, null, null), new RuleSpec(true, false, -1, null, null, null), new RuleSpec(true, false, 1, 256, null, null), new RuleSpec(true, false, 1, null, 0, null), new RuleSpec(true, false, 1, 8, 256, null),
        new RuleSpec(true, false, 6, null, null, ["fd00::/8"]), new RuleSpec(true, true, 6, null, null, ["10.0.0.0/8"]), new RuleSpec(true, false, 6, null, null, ["10.0.0.0/8 } accept\n"]), new RuleSpec(true, false, 6, null, null, ["anywhere"]),
    ];

    [Theory]
    [MemberData(nameof(Nonsense))]
    public void Nonsense_is_refused_for_good(RuleSpec rule) =>
        Assert.False(Assert.Throws<HandlerFault>(() => Rules.Compile([rule], ingress: true, answers: false, "accept")).Retry);
}
