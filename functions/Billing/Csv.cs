using System.Globalization;
using System.Text;

namespace Cloud.Billing;

/// <summary>An invoice's items as RFC 4180 has it: a header, commas, CRLF; numbers with a point.</summary>
public static class Csv
{
    public static string Of(Invoice invoice, IReadOnlyList<LineItem> items)
    {
        var text = new StringBuilder("invoice,project_id,month,item,corrects,kind,resource,meter,price,unit,units,used,used_in,from,to,discount_percent,amount,currency\r\n");
        foreach (var i in items)
        {
            var resource = i.Resource.Split('|', 2);
            text.AppendJoin(',', ((string?[])[invoice.Number ?? "draft", invoice.Project, invoice.Month, i.Id, i.Corrects, resource[0], resource[1], i.Meter, i.Price, i.Unit, View.Units(i.Used, i.Told, i.Unit), Money.Text(i.Used), i.Told,
                View.Time(i.From), View.Time(i.To), Money.Text(i.Discount), Money.Text(i.Amount), invoice.Currency]).Select(Field)).Append("\r\n");
        }
        return text.ToString();
    }

    /// <summary>Names come from tenants: what a spreadsheet would take for a formula is written as text.</summary>
    private static string Field(string? value)
    {
        if (value is null) return "";
        if (value.Length > 0 && "=+-@\t\r".Contains(value[0], StringComparison.Ordinal) && !decimal.TryParse(value, NumberStyles.Number, CultureInfo.InvariantCulture, out _)) value = "'" + value;
        return value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;
    }
}
