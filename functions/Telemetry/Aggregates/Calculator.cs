namespace Cloud.Telemetry;

/// <summary>Several series over the same times, a row each; NaN where one has no point.</summary>
internal sealed record Grid(Sampling Granularity, long[] Times, double[][] Rows, bool Aggregated);

/// <summary>Can't be computed from these series.</summary>
internal sealed class UnfitException(string why) : Exception(why);

/// <summary>The arithmetic of operations, as NumPy does it: what divides by zero is infinite, what has no value has none in the result either.</summary>
internal static class Calculator
{
    /// <param name="names">What each row of the grid is called in references.</param>
    public static Grid Evaluate(Operation operation, Grid grid, IReadOnlyList<Operation.Reference> names) => Value(operation, grid, names) is (_, { } result) ? result : throw new UnfitException("At least one 'metric' is required");

    private static (double Number, Grid? Grid) Value(Operation operation, Grid grid, IReadOnlyList<Operation.Reference> names)
    {
        switch (operation)
        {
            case Operation.Number n: return (n.Value, null);
            case Operation.Of of: return (0, grid with { Rows = [.. grid.Rows.Where((_, i) => of.Metrics.Contains(names[i]))] });
            case Operation.Unary u:
                var (number, on) = Value(u.On, grid, names);
                if (on is null) return (u.Name == "rateofchange" ? 0 : Unary(u.Name)(number), null);
                if (u.Name != "rateofchange") return (0, Map(on, Unary(u.Name)));
                return (0, on with { Times = on.Times.Length == 0 ? [] : on.Times[1..], Rows = [.. on.Rows.Select(Differences)] });
            case Operation.Binary b: return Pair(Value(b.Left, grid, names), Value(b.Right, grid, names), Binary(b.Name)!);
            case Operation.Clip c:
                var low = Pair(Value(c.On, grid, names), Value(c.Low, grid, names), Math.Max);
                return c.High is null ? low : Pair(low, Value(c.High, grid, names), Math.Min);
            case Operation.Gather g:
                var of2 = Value(g.On, grid, names).Grid ?? throw new UnfitException("At least one 'metric' is required");
                return (0, g.Name switch { "aggregate" => Aggregate(of2, g.Function), "rolling" => Rolling(of2, g.Function, g.Window), _ => Resample(of2, g.Function, g.By!) });
            default: throw new InvalidOperationException(operation.ToString());
        }
    }

    private static Grid Map(Grid grid, Func<double, double> f) => grid with { Rows = [.. grid.Rows.Select(r => Array.ConvertAll(r, v => f(v)))] };

    private static (double, Grid?) Pair((double Number, Grid? Grid) a, (double Number, Grid? Grid) b, Func<double, double, double> f)
    {
        if (a.Grid is null || b.Grid is null) return a.Grid is { } left ? (0, Map(left, v => f(v, b.Number))) : b.Grid is { } right ? (0, Map(right, v => f(a.Number, v))) : (f(a.Number, b.Number), null);
        if (!a.Grid.Times.SequenceEqual(b.Grid.Times) || a.Grid.Granularity != b.Grid.Granularity) throw new UnfitException("Can't compute timeseries with different granularity");
        var (x, y) = (a.Grid.Rows, b.Grid.Rows);
        if (x.Length != y.Length && x.Length != 1 && y.Length != 1) throw new UnfitException("Can't compute different numbers of timeseries");
        double[] Row(int i) => [.. Enumerable.Range(0, a.Grid.Times.Length).Select(t => f(x[x.Length == 1 ? 0 : i][t], y[y.Length == 1 ? 0 : i][t]))];
        return (0, a.Grid with { Rows = [.. Enumerable.Range(0, Math.Max(x.Length, y.Length)).Select(Row)], Aggregated = true });
    }

    private static Grid Aggregate(Grid grid, string function)
    {
        var (rate, name) = Split(function);
        double[] row = [.. Enumerable.Range(0, grid.Times.Length).Select(t => Of(name, [.. grid.Rows.Select(r => r[t])]))];
        return grid with { Times = rate && grid.Times.Length > 0 ? grid.Times[1..] : grid.Times, Rows = [rate ? Differences(row) : row], Aggregated = true };
    }

    private static Grid Rolling(Grid grid, string function, int window)
    {
        if (window > grid.Times.Length) throw new UnfitException($"Rolling window '{window}' is greater than serie length '{grid.Times.Length}'");
        var (rate, name) = Split(function);
        double[] Row(double[] r) => [.. Enumerable.Range(0, r.Length - window + 1).Select(i => Of(name, r[i..(i + window)]))];
        var times = grid.Times[(window - 1)..];
        return grid with { Times = rate ? times[1..] : times, Rows = [.. grid.Rows.Select(r => rate ? Differences(Row(r)) : Row(r))] };
    }

    private static Grid Resample(Grid grid, string function, Sampling by)
    {
        var (rate, name) = Split(function);
        long[] times = [.. grid.Times.Select(by.GroupOf).Distinct()];
        var groups = grid.Times.Select((t, i) => (Group: by.GroupOf(t), i)).GroupBy(t => t.Group, t => t.i).Select(g => g.ToArray()).ToArray();
        double[] Row(double[] r) => [.. groups.Select(g => Of(name, [.. g.Select(i => r[i])]))];
        return grid with { Granularity = by, Times = times, Rows = [.. grid.Rows.Select(r => Row(rate ? [double.NaN, .. Differences(r)] : r))] };
    }

    private static (bool Rate, string Name) Split(string function) => function.StartsWith("rate:", StringComparison.Ordinal) ? (true, function[5..]) : (false, function);

    private static double[] Differences(double[] row) => row.Length == 0 ? [] : [.. Enumerable.Range(1, row.Length - 1).Select(i => row[i] - row[i - 1])];

    /// <summary>Of those that are there; of none there is none, but their number and sum are 0.</summary>
    private static double Of(string name, double[] all)
    {
        var values = Array.FindAll(all, v => !double.IsNaN(v));
        if (name == "count") return values.Length;
        if (values.Length == 0) return name == "sum" ? 0 : double.NaN;
        return name switch
        {
            "std" => Math.Sqrt(Telemetry.Aggregate.Squares(values) / values.Length),
            "var" => Telemetry.Aggregate.Squares(values) / values.Length,
            _ => Telemetry.Aggregate.Of(name, values),
        };
    }

    private static Func<double, double> Unary(string name) => name switch
    {
        "abs" or "absolute" => Math.Abs,
        "neg" or "negative" => v => -v,
        "cos" => Math.Cos,
        "sin" => Math.Sin,
        "tan" => Math.Tan,
        "floor" => Math.Floor,
        _ => Math.Ceiling,
    };

    /// <summary>Null for none.</summary>
    public static Func<double, double, double>? Binary(string name) => name switch
    {
        "=" or "==" or "eq" => (a, b) => a == b ? 1 : 0,
        "<" or "lt" => (a, b) => a < b ? 1 : 0,
        ">" or "gt" => (a, b) => a > b ? 1 : 0,
        "<=" or "≤" or "le" => (a, b) => a <= b ? 1 : 0,
        ">=" or "≥" or "ge" => (a, b) => a >= b ? 1 : 0,
        "!=" or "≠" or "ne" => (a, b) => a != b ? 1 : 0,
        "%" or "mod" => (a, b) => a - b * Math.Floor(a / b),
        "+" or "add" => (a, b) => a + b,
        "-" or "sub" => (a, b) => a - b,
        "*" or "×" or "mul" => (a, b) => a * b,
        "/" or "÷" or "div" => (a, b) => a / b,
        "**" or "^" or "pow" => Math.Pow,
        "clip_min" => Math.Max,
        "clip_max" => Math.Min,
        _ => null,
    };
}
