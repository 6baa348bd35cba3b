using System.Reflection;
using System.Text.RegularExpressions;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>docs/security.md names tests that there are.</summary>
public sealed class SecurityPageTests
{
    [Fact]
    public void All_forty_attacks_are_there_and_each_has_tests_that_exist()
    {
        var rows = File.ReadLines(Repository.Path("docs/security.md")).Select(l => Regex.Match(l, @"^\| (\d+) \|")).Where(m => m.Success).ToList();
        Assert.Equal(Enumerable.Range(1, 40), rows.Select(m => int.Parse(m.Groups[1].Value, null)));
        var tests = Assembly.GetExecutingAssembly().GetTypes().SelectMany(t => t.GetMethods().Where(m => m.GetCustomAttributes<FactAttribute>(true).Any()).Select(m => $"{t.Name}.{m.Name}")).ToHashSet();
        foreach (var line in File.ReadLines(Repository.Path("docs/security.md")).Where(l => Regex.IsMatch(l, @"^\| \d+ \|")))
        {
            var named = Regex.Matches(line, @"`(\w+\.\w+)`").Select(m => m.Groups[1].Value).ToList();
            Assert.NotEmpty(named);
            Assert.Empty(named.Except(tests));
        }
    }
}
