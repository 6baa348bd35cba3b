using Xunit;

namespace Cloud.Tests.Kit;

/// <summary>Files of this repository that are made from the code and committed. ./cloud generate sets CLOUD_WRITE_GOLDEN=1: then they are written instead of compared.</summary>
public static class Golden
{
    private static bool Writes => Environment.GetEnvironmentVariable("CLOUD_WRITE_GOLDEN") == "1";

    public static void Same(string file, string text)
    {
        if (Writes)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }
        Compare(file, text, File.Exists(file) ? File.ReadAllText(file) : "");
    }

    /// <summary>Compares what is between <c>&lt;!-- NAME begin --&gt;</c> and <c>&lt;!-- NAME end --&gt;</c> of a page.</summary>
    public static void Contains(string page, string name, string text)
    {
        var (all, begin, end) = (File.ReadAllText(page), $"<!-- {name} begin -->\n", $"<!-- {name} end -->");
        var (from, to) = (all.IndexOf(begin, StringComparison.Ordinal), all.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from >= 0 && to > from, $"{page} has no place for {name}");
        from += begin.Length;
        if (Writes) File.WriteAllText(page, all = all[..from] + text + all[to..]);
        else Compare(page, text, all[from..to]);
    }

    private static void Compare(string file, string made, string committed)
    {
        if (made == committed) return;
        var line = made.Split('\n').Zip(committed.Split('\n')).TakeWhile(l => l.First == l.Second).Count() + 1;
        Assert.Fail($"{file} is out of date from line {line} of what is made on. If the change is meant, run ./cloud generate and commit the file.");
    }
}
