using Cloud.Billing;
using Cloud.Metering;

namespace Cloud.Tests.Unit.Billing;

/// <summary>What invoices billed against what was: milliseconds (times quantity) and bytes that are missing, or there twice. Added up over many runs.</summary>
public sealed class Difference
{
    public decimal Billed { get; private set; }
    public decimal Bytes { get; private set; }
    public decimal Unbilled { get; private set; }
    public decimal Double { get; private set; }

    public void Add(IReadOnlyList<Life> truth, IEnumerable<Counted> amounts, IReadOnlyList<LineItem> items, Month first, Month last)
    {
        var ought = new Dictionary<(string Resource, string Meter), decimal>();
        long Cut(DateTimeOffset t) => Math.Clamp(t.ToUnixTimeMilliseconds(), first.Begin.ToUnixTimeMilliseconds(), last.End.ToUnixTimeMilliseconds());
        foreach (var life in truth)
            for (var i = 0; i < life.Readings.Length; i++)
                foreach (var g in life.Readings[i].Gauges)
                    ought[(life.Resource, g.Meter)] = ought.GetValueOrDefault((life.Resource, g.Meter)) + (g.Quantity * (decimal)(Cut(i + 1 < life.Readings.Length ? life.Readings[i + 1].At : last.End) - Cut(life.Readings[i].At)) / 1000m);
        foreach (var a in amounts) ought[(a.Resource, a.Meter)] = ought.GetValueOrDefault((a.Resource, a.Meter)) + a.Quantity;
        var billed = items.GroupBy(i => (i.Resource, i.Meter)).ToDictionary(g => g.Key, g => g.Sum(i => i.Used));
        foreach (var key in ought.Keys.Union(billed.Keys))
        {
            var difference = billed.GetValueOrDefault(key) - ought.GetValueOrDefault(key);
            if (difference < 0) Unbilled -= difference;
            else Double += difference;
            if (key.Meter.Contains("traffic", StringComparison.Ordinal)) Bytes += billed.GetValueOrDefault(key);
            else Billed += billed.GetValueOrDefault(key);
        }
    }
}
