using System.Globalization;
using System.Numerics;

namespace Cloud.Billing;

/// <summary>
/// All rounding of money, in one place: half to even. An item's amount is exact until it is rounded once, to <see cref="Places"/>; what is to be
/// paid is the sum of the items, rounded once to the currency's places.
/// </summary>
public static class Money
{
    public const int Places = 10;
    /// <summary>Prices have at most so many places.</summary>
    public const int PricePlaces = 12;
    private static readonly BigInteger PriceScale = BigInteger.Pow(10, PricePlaces);

    /// <summary>A price as a whole number of its smallest part.</summary>
    public static BigInteger Scaled(decimal price) => (BigInteger)decimal.Truncate(price) * PriceScale + (BigInteger)(price % 1 * (decimal)PriceScale);

    /// <param name="scaled">Of prices times amounts in the base.</param>
    /// <param name="percent">That is taken off, in hundredths of a percent.</param>
    public static decimal Amount(BigInteger scaled, long divisor, int percent) => Round(scaled * (10_000 - percent), PriceScale * divisor * 10_000, Places);

    public static decimal Total(decimal sum, int places) => decimal.Round(sum, places, MidpointRounding.ToEven);

    /// <summary>The quotient of whole numbers to so many places.</summary>
    public static decimal Round(BigInteger dividend, BigInteger divisor, int places)
    {
        var scale = BigInteger.Pow(10, places);
        var quotient = BigInteger.DivRem(BigInteger.Abs(dividend) * scale, divisor, out var rest);
        var half = (rest * 2).CompareTo(divisor);
        if (half > 0 || (half == 0 && !quotient.IsEven)) quotient++;
        return (decimal)(dividend.Sign < 0 ? -quotient : quotient) / (decimal)scale;
    }

    /// <summary>Always written the same: no exponent, no zeros at the end.</summary>
    public static string Text(decimal amount) => amount.ToString("0.############", CultureInfo.InvariantCulture);

    /// <summary>With all of the currency's places.</summary>
    public static string Text(decimal amount, int places) => amount.ToString("F" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
