using System.Globalization;

namespace Cloud.Platform.Hosting;

/// <summary>This process's memory as Linux tells it (proc_pid_smaps(5)).</summary>
public static class Mapping
{
    /// <summary>
    /// Mapped parts of files that nobody can or did write here, with something in memory: code and metadata of libraries. Such a part may be
    /// let go at any time; who needs it again finds it in the page cache.
    /// </summary>
    public static IEnumerable<(nint Start, nint Length)> Clean(IEnumerable<string> smaps)
    {
        (nint Start, nint Length)? file = null;
        var resident = false;
        foreach (var line in smaps)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!words[0].EndsWith(':'))
            {
                file = words is [var range, ['r', '-', ..], _, _, not "0", ['/', ..] path, ..] && !path.StartsWith("/memfd:", StringComparison.Ordinal) && range.Split('-') is [var from, var to] ? (Hex(from), Hex(to) - Hex(from)) : null;
                resident = false;
            }
            else if (words[0] == "Rss:") resident = words[1] != "0";
            else if (words[0] == "Anonymous:" && file is { } found && resident && words[1] == "0") yield return found; // none of it is a copy that was written to
        }
    }

    private static nint Hex(string digits) => nint.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
