using System.Globalization;
using Spectre.Console;

namespace Cloud.Demo;

/// <summary>A live table on a terminal; plain lines in a pipe. Texts of several lines come after the table, or at once in a pipe.</summary>
public sealed class Screen(IReadOnlyList<string> titles)
{
    private readonly bool _live = AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;
    private readonly string[] _state = [.. titles.Select(_ => "")];
    private readonly string[] _time = [.. titles.Select(_ => "")];
    private readonly string[] _last = [.. titles.Select(_ => "")];
    private readonly List<(string Title, string[] Lines)> _exhibits = [];
    private LiveDisplayContext? _display;
    private int _now;

    public async Task Live(Func<Task> act)
    {
        if (!_live)
        {
            AnsiConsole.Profile.Width = 120;
            await act();
            return;
        }

        await AnsiConsole.Live(Table()).StartAsync(async display =>
        {
            _display = display;
            await act();
            display.UpdateTarget(Table());
        });
        _display = null;
        foreach (var (title, lines) in _exhibits) Print(title, lines);
    }

    public void Begin(int step)
    {
        _now = step;
        _state[step] = "[yellow]...[/]";
        if (_live) Refresh();
        else Console.WriteLine($"{step + 1}. {titles[step]}");
    }

    public void End(int step, bool well, TimeSpan took)
    {
        (_state[step], _time[step]) = (well ? "[green]yes[/]" : "[red]NO[/]", Seconds(took));
        if (_live) Refresh();
        else Console.WriteLine($"   {(well ? "done" : "FAILED")} in {Seconds(took)}");
    }

    public void Say(string text)
    {
        _last[_now] = text;
        if (_live) Refresh();
        else Console.WriteLine("   " + text);
    }

    public void Exhibit(string title, IEnumerable<string> lines)
    {
        string[] all = [.. lines];
        if (_live) _exhibits.Add((title, all));
        else Print("   " + title, all);
    }

    public void Summary(IReadOnlyList<(string What, string Value)> measured)
    {
        var steps = new Table { Border = TableBorder.Ascii2 };
        steps.AddColumn("step").AddColumn("seen to work").AddColumn(new TableColumn("time").RightAligned());
        for (var i = 0; i < titles.Count; i++) steps.AddRow($"{i + 1}. {Markup.Escape(titles[i])}", _state[i], _time[i]);
        AnsiConsole.Write(steps);
        if (measured.Count == 0) return;
        var values = new Table { Border = TableBorder.Ascii2 };
        values.AddColumn("measured").AddColumn(new TableColumn("").RightAligned());
        foreach (var (what, value) in measured) values.AddRow(Markup.Escape(what), Markup.Escape(value));
        AnsiConsole.Write(values);
    }

    public static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture);

    private static void Print(string title, string[] lines)
    {
        Console.WriteLine(title);
        foreach (var line in lines) Console.WriteLine("   | " + line);
    }

    private void Refresh() => _display?.UpdateTarget(Table());

    private Table Table()
    {
        var table = new Table { Border = TableBorder.Rounded, Expand = true };
        table.AddColumn("step").AddColumn("seen to work").AddColumn(new TableColumn("time").RightAligned()).AddColumn("what is going on");
        for (var i = 0; i < titles.Count; i++) table.AddRow($"{i + 1}. {Markup.Escape(titles[i])}", _state[i], _time[i], Markup.Escape(_last[i]));
        return table;
    }
}
