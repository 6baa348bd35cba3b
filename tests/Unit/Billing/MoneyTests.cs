using System.Numerics;
using Cloud.Billing;
using Xunit;

namespace Cloud.Tests.Unit.Billing;

/// <summary>Money is rounded half to even, in both directions alike: over many items nothing drifts.</summary>
public sealed class MoneyTests
{
    [Theory]
    [InlineData(5, 10, "0")]
    [InlineData(15, 10, "2")]
    [InlineData(25, 10, "2")]
    [InlineData(251, 100, "3")]
    [InlineData(249, 100, "2")]
    [InlineData(-15, 10, "-2")]
    [InlineData(-25, 10, "-2")]
    [InlineData(-251, 100, "-3")]
    public void A_half_goes_to_the_even_neighbour(int dividend, int divisor, string rounded) => Assert.Equal(rounded, Money.Text(Money.Round(dividend, divisor, 0)));

    [Fact]
    public void An_amount_is_rounded_once_to_ten_places_and_a_total_to_those_of_the_currency()
    {
        // Half of the last place, and a discount that makes it a little more or less.
        Assert.Equal(0m, Money.Amount(Money.Scaled(0.000000000001m) * 50, 1, 0));
        Assert.Equal(0.0000000002m, Money.Amount(Money.Scaled(0.000000000001m) * 150, 1, 0));
        Assert.Equal(0.0000000001m, Money.Amount(Money.Scaled(0.000000000001m) * 150, 1, 1));
        Assert.Equal((0.12m, 0.14m, -0.12m), (Money.Total(0.125m, 2), Money.Total(0.135m, 2), Money.Total(-0.125m, 2)));
        Assert.Equal(BigInteger.Pow(10, 18), Money.Scaled(1_000_000m));
    }
}
