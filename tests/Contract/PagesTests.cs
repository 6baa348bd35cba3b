using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>Pages point only at what is there.</summary>
public sealed class PagesTests
{
    private static readonly string[] Pages = [.. Directory.EnumerateFiles(Repository.Path("docs"), "*.md", SearchOption.AllDirectories).Append(Repository.Path("README.md"))];

    [Fact]
    public void Every_link_leads_to_a_file_that_exists()
    {
        var dead = from page in Pages
                   from Match link in Regex.Matches(File.ReadAllText(page), @"\]\(([^)\s]+)\)")
                   let target = link.Groups[1].Value.Split('#')[0]
                   where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal) && !Path.Exists(Path.Combine(Path.GetDirectoryName(page)!, target))
                   select $"{Path.GetRelativePath(Repository.Root, page)}: {target}";
        Assert.Empty(dead);
    }

    [Fact]
    public void Every_command_of_the_readme_is_one()
    {
        var commands = Directory.EnumerateFiles(Repository.Path("infra/cli"), "*.sh").Select(f => Path.GetFileNameWithoutExtension(f)).ToHashSet();
        var used = Pages.SelectMany(p => Regex.Matches(File.ReadAllText(p), @"\./cloud ([a-z]+)").Select(m => m.Groups[1].Value)).Distinct().ToList();
        Assert.NotEmpty(used);
        Assert.Empty(used.Except(commands));
    }
}
