using System.Globalization;
using System.Text;
using Cloud.Tests.Kit;
using Xunit;

namespace Cloud.Tests.Contract;

/// <summary>docs/conformance.md names each of OpenStack's tests that this cloud fails on purpose.</summary>
public sealed class RefusedTestsTests
{
    [Fact]
    public void The_page_names_them_all_with_the_reason()
    {
        var text = new StringBuilder();
        foreach (var line in File.ReadLines(Repository.Path("tests/Conformance/refused.txt")).Where(l => l.Length > 0))
            text.Append(line.StartsWith("# ", StringComparison.Ordinal) ? string.Create(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "\n" : "")}**{line[2..]}**\n\n") : $"- `{line}`\n");
        Golden.Contains(Repository.Path("docs/conformance.md"), "refused", text.ToString());
    }
}
