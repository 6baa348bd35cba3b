using System.Globalization;
using System.Net;
using System.Text;

namespace Cloud.Billing;

/// <summary>An invoice as one page without scripts or anything from elsewhere, made to be printed (or made a PDF) on A4.</summary>
public static class Html
{
    /// <summary>More items are in the CSV only.</summary>
    public const int MostItems = 2000;

    private const string Style = """
        @page { size: A4; margin: 18mm 15mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #666 } }
        * { box-sizing: border-box }
        body { font: 10pt/1.4 "Helvetica Neue", Arial, sans-serif; color: #1a1a1a; margin: 0 auto; max-width: 190mm; padding: 8mm }
        header { display: flex; justify-content: space-between; align-items: flex-start; border-bottom: 2px solid #1a1a1a; padding-bottom: 4mm; margin-bottom: 6mm }
        h1 { font-size: 20pt; margin: 0 } h2 { font-size: 12pt; margin: 8mm 0 2mm }
        dl { display: grid; grid-template-columns: auto auto; gap: 0 4mm; margin: 0 } dt { color: #666 } dd { margin: 0; text-align: right; white-space: nowrap } header > div { flex: 1; padding-right: 6mm }
        table { border-collapse: collapse; width: 100% } thead { display: table-header-group } tr { break-inside: avoid }
        th { text-align: left; font-weight: 600; border-bottom: 1px solid #1a1a1a } td { border-bottom: 1px solid #ddd; overflow-wrap: anywhere } th, td { padding: 1mm 1.5mm; vertical-align: top }
        .n, .t { white-space: nowrap; font-variant-numeric: tabular-nums } .n { text-align: right } .items { font-size: 7.5pt } .total td { border-top: 2px solid #1a1a1a; border-bottom: 0; font-size: 12pt; font-weight: 700 }
        .draft { color: #a40000 } small { color: #666 }
        @media print { body { padding: 0; max-width: none } }
        """;

    public static string Of(Invoice invoice, IReadOnlyList<LineItem> items, string project)
    {
        var title = invoice.Closed ? $"Invoice {invoice.Number}" : $"Draft for {invoice.Month}";
        var h = new StringBuilder($"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{E(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<header>\n<div><h1{(invoice.Closed ? "" : " class=\"draft\"")}>{E(title)}</h1>");
        h.Append(invoice.Closed ? "" : "<small>Not an invoice yet: the month goes on, or has only just ended.</small>").Append("</div>\n<dl>");
        foreach (var (name, value) in new[] { ("Project", project), ("Month", invoice.Month), ("Counted until", View.Time(invoice.Until)), ("Closed", invoice.ClosedAt is { } t ? View.Time(t) : ""), ("Currency", invoice.Currency) }.Where(x => x.Item2.Length > 0)) h.Append(CultureInfo.InvariantCulture, $"<dt>{name}</dt><dd>{E(value)}</dd>");
        h.Append("</dl>\n</header>\n<table>\n<thead><tr><th>What</th><th class=\"n\">Resources</th><th class=\"n\">Used</th><th>Unit</th><th class=\"n\">Amount</th></tr></thead>\n<tbody>\n");
        foreach (var l in invoice.Lines)
            h.Append(CultureInfo.InvariantCulture, $"<tr><td>{E(l.Price)}{(l.Corrects is { } month ? $" <small>correction of {month}</small>" : "")}{(l.Unit is null ? " <small>has no price</small>" : "")}</td><td class=\"n\">{l.Resources}</td><td class=\"n\">{View.Units(l.Used, l.Told, l.Unit) ?? Money.Text(l.Used)}</td><td>{E(l.Unit ?? l.Told)}</td><td class=\"n\">{Money.Text(l.Amount)}</td></tr>\n");
        h.Append(CultureInfo.InvariantCulture, $"<tr class=\"total\"><td colspan=\"4\">Total</td><td class=\"n\">{Money.Text(invoice.Total, invoice.Places)} {E(invoice.Currency)}</td></tr>\n</tbody>\n</table>\n<h2>Items</h2>\n");
        if (items.Count > MostItems) h.Append(CultureInfo.InvariantCulture, $"<p>The first {MostItems} of {items.Count}; all of them are in the CSV.</p>\n");
        h.Append("<table class=\"items\">\n<thead><tr><th>Resource</th><th>Meter</th><th>From (UTC)</th><th>To</th><th class=\"n\">Used</th><th>Unit</th><th class=\"n\">Amount</th></tr></thead>\n<tbody>\n");
        foreach (var i in items.Take(MostItems))
        {
            var resource = i.Resource.Split('|', 2);
            h.Append(CultureInfo.InvariantCulture, $"<tr><td>{E(resource[0])}<br>{E(resource[1])}</td><td>{E(i.Meter)}{(i.Discount > 0 ? $"<br><small>less {Money.Text(i.Discount)} %</small>" : "")}{(i.Corrects is null ? "" : "<br><small>correction</small>")}</td><td class=\"t\">{Time(i.From)}</td><td class=\"t\">{Time(i.To)}</td><td class=\"n\">{View.Units(i.Used, i.Told, i.Unit) ?? Money.Text(i.Used)}</td><td>{E(i.Unit ?? i.Told)}</td><td class=\"n\">{Money.Text(i.Amount)}</td></tr>\n");
        }
        return h.Append(CultureInfo.InvariantCulture, $"</tbody>\n</table>\n<p><small>Amounts of items are rounded once, half to even, to {Money.Places} places; the total is their sum, rounded once to {invoice.Places}. Items: SHA-256 {invoice.Hash}</small></p>\n</body>\n</html>\n").ToString();
    }

    /// <summary>In two lines, or it would break where no reader expects it.</summary>
    private static string Time(DateTimeOffset t) => View.Time(t)[..^1].Replace("T", "<br>", StringComparison.Ordinal);

    private static string E(string text) => WebUtility.HtmlEncode(text);
}
